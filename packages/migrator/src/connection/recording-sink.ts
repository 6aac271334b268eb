import { loadSqlParser } from '../sql/parse-sql.ts'
import { onlyReads, returnsWrittenRows, statementsOf } from './statement-kind.ts'
import type { StatementSink } from './statement-sink.ts'

export interface RecordedStatement {
  readonly sql: string
  readonly parameters: readonly unknown[]
}

/** What a migration would send. */
export interface Recording {
  readonly statements: readonly RecordedStatement[]
  /** True when the migration reads rows (RETURNING too): what follows a read may depend on the answer, which is empty here. */
  readonly readsRows: boolean
}

/** Writes statements down and answers every one with no rows. Touches no server. */
export class RecordingSink implements StatementSink {
  readonly #statements: RecordedStatement[] = []
  #readsRows = false

  async execute(sql: string, parameters: readonly unknown[]): Promise<{ rows: never[]; numAffectedRows: bigint }> {
    await loadSqlParser()
    const givesRows = statementsOf(sql).some((statement) => onlyReads(statement) || returnsWrittenRows(statement))
    if (givesRows) this.#readsRows = true
    this.#statements.push(Object.freeze({ sql, parameters: Object.freeze([...parameters]) }))
    return { rows: [], numAffectedRows: 0n }
  }

  async begin(): Promise<void> {
    await this.execute('begin', [])
  }

  async commit(): Promise<void> {
    await this.execute('commit', [])
  }

  async rollback(): Promise<void> {
    await this.execute('rollback', [])
  }

  get recording(): Recording {
    return { statements: [...this.#statements], readsRows: this.#readsRows }
  }
}
