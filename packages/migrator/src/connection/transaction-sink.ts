import type { FleetConnection } from '@shardwright/core'
import type { QueryResult } from 'kysely'
import { MigrationError } from '../errors/migration-error.ts'
import { controlsTransaction, needsNoTransaction, statementsOf } from './statement-kind.ts'
import type { StatementSink } from './statement-sink.ts'

/** Sends a migration's statements inside the transaction that the runner opened; the migration cannot end it. */
export class TransactionSink implements StatementSink {
  readonly #connection: FleetConnection
  readonly #migration: string

  constructor(connection: FleetConnection, migration: string) {
    this.#connection = connection
    this.#migration = migration
  }

  async execute(sql: string, parameters: readonly unknown[]): Promise<QueryResult<unknown>> {
    const statements = statementsOf(sql)
    if (statements.some(controlsTransaction)) throw this.#controls()
    if (statements.some(needsNoTransaction)) throw needsOwnMigration(this.#migration)
    return toQueryResult(await this.#connection.query(sql, parameters))
  }

  async begin(): Promise<void> {
    throw this.#controls()
  }

  async commit(): Promise<void> {
    throw this.#controls()
  }

  async rollback(): Promise<void> {
    throw this.#controls()
  }

  #controls(): MigrationError {
    return new MigrationError({
      code: 'TRANSACTION_CONTROL',
      message: `The migration ${this.#migration} runs in a transaction of its own and cannot begin or end one.`,
      hint: 'Remove the statement, or declare `transaction: false` and make every step repeatable.',
      details: { migration: this.#migration },
    })
  }
}

export function needsOwnMigration(migration: string): MigrationError {
  return new MigrationError({
    code: 'NEEDS_NO_TRANSACTION',
    message: `The migration ${migration} has a statement that PostgreSQL refuses inside a transaction.`,
    hint: 'Put it alone into a migration with `export const transaction = false` (SQL: `-- shardwright: transaction=false`).',
    details: { migration },
  })
}

interface DriverResult {
  readonly rows: unknown[]
  readonly rowCount: number | null
  readonly command: string
}

/** For a text of several statements the driver gives a list of results: the last one is the text's. */
export function toQueryResult(answer: DriverResult | readonly DriverResult[]): QueryResult<unknown> {
  const result = Array.isArray(answer) ? (answer as readonly DriverResult[]).at(-1) : (answer as DriverResult)
  if (!result) return { rows: [] }
  const writes = ['INSERT', 'UPDATE', 'DELETE', 'MERGE'].includes(result.command)
  return writes ? { rows: result.rows, numAffectedRows: BigInt(result.rowCount ?? 0) } : { rows: result.rows }
}
