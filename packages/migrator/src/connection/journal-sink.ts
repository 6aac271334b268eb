import { createHash } from 'node:crypto'
import type { FleetConnection, PgResult } from '@shardwright/core'
import type { QueryResult } from 'kysely'
import { MigrationError } from '../errors/migration-error.ts'
import type { JournalEntry } from '../state/migration-state.ts'
import { IndexLeftover } from './index-leftover.ts'
import { needsNoTransaction, onlyReads, returnsWrittenRows, singleStatement } from './statement-kind.ts'
import type { StatementSink } from './statement-sink.ts'
import { toQueryResult } from './transaction-sink.ts'

/**
 * Sends the statements of a migration that runs outside a transaction, and keeps a journal of those that are done,
 * so that a second attempt goes on where the first stopped. A journal entry is written before the statement (a kill
 * leaves `done: false`) and after it; inside a transaction of the migration itself, with that transaction.
 */
export class JournalSink implements StatementSink {
  readonly #connection: FleetConnection
  readonly #migration: string
  readonly #earlier: readonly JournalEntry[]
  readonly #write: (journal: readonly JournalEntry[]) => Promise<void>
  readonly #leftover: IndexLeftover
  #journal: JournalEntry[] = []
  #beforeTransaction: JournalEntry[] | undefined

  constructor(
    connection: FleetConnection,
    migration: string,
    earlier: readonly JournalEntry[],
    write: (journal: readonly JournalEntry[]) => Promise<void>,
  ) {
    this.#connection = connection
    this.#migration = migration
    this.#earlier = earlier
    this.#write = write
    this.#leftover = new IndexLeftover(connection)
  }

  get journal(): readonly JournalEntry[] {
    return [...this.#journal]
  }

  async execute(sql: string, parameters: readonly unknown[]): Promise<QueryResult<unknown>> {
    const statement = singleStatement(sql)
    if (statement && onlyReads(statement)) return toQueryResult(await this.#connection.query(sql, parameters))
    const hash = hashStatement(sql, parameters)
    const earlier = this.#earlier[this.#journal.length]
    if (earlier && earlier.hash !== hash && this.#earlier.slice(this.#journal.length).some((entry) => entry.done)) {
      throw this.#notResumable()
    }
    if (earlier?.hash === hash && earlier.done) {
      if (statement && returnsWrittenRows(statement)) throw this.#notResumable()
      this.#journal.push(earlier)
      return earlier.affected === null ? { rows: [] } : { rows: [], numAffectedRows: BigInt(earlier.affected) }
    }
    const interrupted = earlier?.hash === hash
    if (statement && (await this.#leftover.alreadyBuilt(statement, interrupted))) {
      await this.#append({ hash, done: true, affected: null })
      return { rows: [] }
    }
    return await this.#run(sql, parameters, hash)
  }

  async begin(): Promise<void> {
    this.#beforeTransaction = this.#journal
    this.#journal = [...this.#journal]
    await this.#connection.query('begin')
  }

  async commit(): Promise<void> {
    const { command } = await this.#connection.query('commit')
    if (command !== 'COMMIT') {
      this.#journal = this.#beforeTransaction ?? this.#journal
      throw new Error('COMMIT was answered with ROLLBACK: an earlier statement of the transaction had failed')
    }
    this.#beforeTransaction = undefined
  }

  async rollback(): Promise<void> {
    await this.#connection.query('rollback')
    this.#journal = this.#beforeTransaction ?? this.#journal
    this.#beforeTransaction = undefined
  }

  async #run(sql: string, parameters: readonly unknown[], hash: string): Promise<QueryResult<unknown>> {
    if (!this.#beforeTransaction) await this.#write([...this.#journal, { hash, done: false, affected: null }])
    const result = await this.#send(sql, parameters)
    await this.#append({ hash, done: true, affected: result.rowCount ?? null })
    return toQueryResult(result)
  }

  /** CONCURRENTLY waits for old transactions without holding anybody off: there lock_timeout would only do harm. */
  async #send(sql: string, parameters: readonly unknown[]): Promise<PgResult<Record<string, unknown>>> {
    const statement = singleStatement(sql)
    if (!statement || !needsNoTransaction(statement)) return await this.#connection.query(sql, parameters)
    const setting = `select current_setting('lock_timeout') as before, set_config('lock_timeout', $1, false)`
    const { rows } = await this.#connection.query<{ before: string }>(setting, ['0'])
    try {
      return await this.#connection.query(sql, parameters)
    } finally {
      await this.#connection.query(setting, [rows[0]?.before ?? '0']).catch(() => undefined)
    }
  }

  async #append(entry: JournalEntry): Promise<void> {
    this.#journal.push(entry)
    await this.#write(this.#journal)
  }

  #notResumable(): MigrationError {
    return new MigrationError({
      code: 'MIGRATION_NOT_RESUMABLE',
      message: `The migration ${this.#migration} was stopped half-way on ${this.#connection.shardId} and no longer repeats the statements that are done.`,
      hint: 'Bring the file back to what ran, finish it, then write a new migration for the change.',
      details: { migration: this.#migration, shard: this.#connection.shardId, statement: this.#journal.length + 1 },
    })
  }
}

function hashStatement(sql: string, parameters: readonly unknown[]): string {
  const values = parameters.map((value) => (typeof value === 'bigint' ? `${value}n` : value))
  return createHash('sha256')
    .update(JSON.stringify([sql, values]))
    .digest('hex')
    .slice(0, 32)
}
