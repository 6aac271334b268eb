import type { Kysely } from 'kysely'

/** How far a shard's write-ahead log had come when a commit was acknowledged. */
export interface CommitToken {
  readonly shard: string
  /** `pg_lsn` as text, e.g. `0/16B3748`. */
  readonly lsn: string
  /** pg_control_system().system_identifier and timeline, as `id:timeline`; a token of another is not believed. */
  readonly incarnation: string
  readonly epoch: number
  /**
   * The name of a prepared transaction that is committed and could not be finished on this shard yet: a read under the
   * token waits for it.
   */
  readonly unsettled?: string | undefined
}

export interface Commit {
  /** One per shard that was written; empty where the connection cannot tell. */
  readonly tokens: readonly CommitToken[]
  /**
   * Set when hooks are called once more, as what a reader sees will change again. `in doubt`: nobody can tell yet whether it
   * is committed, and `afterRollback` runs when it is not. `unsettled`: committed, and some shard does not show it yet.
   */
  readonly pending?: 'in doubt' | 'unsettled' | undefined
}

/** What a transaction offers to those who must act after its commit and never before it. */
export interface CommitScope {
  /**
   * Runs `hook` after the commit was acknowledged, or may have happened; dropped on rollback, and on rollback to a savepoint
   * that was set before the call. Once, unless `commit.pending`: then again when that is over, while the process lives, so
   * that what must happen once waits for a call without it. Errors of a hook are reported to telemetry: the commit stands.
   * @example
   * scope.afterCommit(async (commit) => {
   *   await cache.invalidate(key) // at every call: a copy may have been taken in between
   *   if (!commit.pending) await sendReceipt()
   * })
   */
  afterCommit(hook: (commit: Commit) => void | Promise<void>): void
  /** Runs `hook` once when the transaction, or the savepoint it was registered under, is rolled back. */
  afterRollback(hook: () => void | Promise<void>): void
  /** True when the transaction is known to have written something. */
  readonly wrote: boolean
}

/** A logical connection that carries a transaction exposes its scope under this symbol; `undefined` outside one. */
export const commitScopeSymbol: unique symbol = Symbol.for('shardwright.commitScope')

interface ScopeCarrier {
  readonly [commitScopeSymbol]?: CommitScope | undefined
}

/**
 * The commit scope of the transaction that `db` is in, or `undefined` when `db` is not a transaction of a shard router.
 * Takes no socket.
 */
export async function commitScopeOf<Database>(db: Kysely<Database>): Promise<CommitScope | undefined> {
  return await db.getExecutor().provideConnection(async (connection) => (connection as ScopeCarrier)[commitScopeSymbol])
}
