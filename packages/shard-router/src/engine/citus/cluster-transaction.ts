import type { Commit, Telemetry } from '@shardwright/core'
import type { TransactionSettings } from 'kysely'
import type { Lease, RunOptions, Statement, StatementResult } from '../../pool/shard-pool.ts'
import { OneShardTransaction, type TransactionPool } from '../../transaction/one-shard-transaction.ts'
import type { RouterTransaction } from '../../transaction/router-transaction.ts'

/** Gives another server's lease when the one that was chosen cannot be reached; rethrows otherwise. */
export type LeaseElsewhere = (server: number, error: unknown, options?: RunOptions) => Promise<Lease>

/**
 * A transaction on the node of its first statement. What it does on other nodes is Citus' own distributed transaction, so
 * that a plain COMMIT commits on all of them or on none.
 */
export class ClusterTransaction implements RouterTransaction {
  readonly spansShards = true
  readonly #inner: OneShardTransaction
  readonly #pool: TransactionPool
  readonly #elsewhere: LeaseElsewhere
  /** One snapshot for all statements, not one for each. */
  readonly keepsSnapshot: boolean
  #server: number | undefined
  #routed = false
  readonly #held = new Set<string>()

  constructor(pool: TransactionPool, settings: TransactionSettings, telemetry: Telemetry, elsewhere: LeaseElsewhere) {
    this.#pool = pool
    this.#elsewhere = elsewhere
    this.keepsSnapshot = ['repeatable read', 'serializable', 'snapshot'].includes(settings.isolationLevel ?? '')
    const { topology } = pool
    const lease = (server: number, options?: RunOptions) => this.#lease(server, options)
    const commitToken = (server: number) => pool.commitToken(server)
    this.#inner = new OneShardTransaction({ topology, lease, commitToken }, settings, telemetry)
  }

  /** Where a statement runs that the router chose a server for, rather than its caller. */
  serverFor(server: number): number {
    if (this.#server === undefined) {
      this.#server = server
      this.#routed = true
    }
    return this.#server
  }

  /** A shard that a statement has used stays where it is until the transaction ends. */
  holds(place: string): boolean {
    return this.#held.has(place)
  }

  hold(place: string): void {
    this.#held.add(place)
  }

  get scope() {
    return this.#inner.scope
  }

  get shards(): readonly number[] {
    return this.#inner.shards
  }

  execute(server: number, statement: Statement, options?: RunOptions): Promise<StatementResult> {
    this.#server ??= server
    return this.#inner.execute(this.#server, statement, options)
  }

  stream(
    server: number,
    statement: Statement,
    chunkSize: number,
    options?: RunOptions,
  ): AsyncIterableIterator<StatementResult> {
    this.#server ??= server
    return this.#inner.stream(this.#server, statement, chunkSize, options)
  }

  savepoint(sql: string, name: string): Promise<void> {
    return this.#inner.savepoint(sql, name)
  }

  rollbackToSavepoint(sql: string, name: string): Promise<void> {
    return this.#inner.rollbackToSavepoint(sql, name)
  }

  releaseSavepoint(sql: string, name: string): Promise<void> {
    return this.#inner.releaseSavepoint(sql, name)
  }

  commit(): Promise<Commit> {
    return this.#inner.commit()
  }

  rollback(): Promise<void> {
    return this.#inner.rollback()
  }

  cancel(): Promise<void> {
    return this.#inner.cancel()
  }

  kill(): Promise<void> {
    return this.#inner.kill()
  }

  async #lease(server: number, options?: RunOptions): Promise<Lease> {
    try {
      return await this.#pool.lease(server, { ...options, access: 'write' })
    } catch (error) {
      if (!this.#routed) throw error
      return await this.#elsewhere(server, error, options)
    }
  }
}
