import type { QueryResult } from 'kysely'
import { statementsOf } from './statement-kind.ts'
import type { StatementSink } from './statement-sink.ts'

/** Sends a text of several statements as several messages: Citus hands its nodes the whole text of a message. */
export class OneByOneSink implements StatementSink {
  readonly #inner: StatementSink

  constructor(inner: StatementSink) {
    this.#inner = inner
  }

  async execute(sql: string, parameters: readonly unknown[]): Promise<QueryResult<unknown>> {
    const statements = parameters.length === 0 ? statementsOf(sql) : []
    if (statements.length <= 1) return await this.#inner.execute(sql, parameters)
    let last: QueryResult<unknown> = { rows: [] }
    for (const { text } of statements) last = await this.#inner.execute(text, [])
    return last
  }

  begin(): Promise<void> {
    return this.#inner.begin()
  }

  commit(): Promise<void> {
    return this.#inner.commit()
  }

  rollback(): Promise<void> {
    return this.#inner.rollback()
  }
}
