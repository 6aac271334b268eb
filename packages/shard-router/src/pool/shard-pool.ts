import type { CommitToken, PgClient, PgField, Topology } from '@shardwright/core'
import type { Batch, BehindResult } from './batch.ts'
import type { ShardList } from './shard-list.ts'

/** One statement for one shard, ready to send. */
export interface Statement {
  readonly sql: string
  readonly parameters: readonly unknown[]
  /**
   * `read`: writes nothing, locks nothing, calls nothing volatile: may go to a replica and may be sent again.
   * `write`: everything else; primary only.
   */
  readonly access: 'read' | 'write'
  /**
   * `objects`: rows as the caller's parsers make them. `facts`: objects for the router itself, whatever those parsers
   * are. `text`: each row an array of raw wire text (or null), for merging.
   */
  readonly rows: 'objects' | 'facts' | 'text'
  /** Rows of text beyond so many are counted (`rowCount`) and not kept: what cannot be used need not fill the memory. */
  readonly keepRows?: number | undefined
  /**
   * A read of the router's own that should run behind this statement, on its session: on the pipelined lane in the same
   * flush, once for all statements that leave together and name the same object.
   */
  readonly followedBy?: Statement | undefined
}

/** What a server answered. */
export interface StatementResult {
  /** The command tag's verb: SELECT, INSERT, UPDATE, ... */
  readonly command: string
  readonly rowCount: number
  /** Objects, or arrays of `string | null`, as the statement asked. */
  readonly rows: readonly unknown[]
  readonly fields: readonly PgField[]
  /** Which server answered: `primary`, or the replica's address. */
  readonly server: string
  /** The answer of `followedBy`. Absent where it did not travel with the statement, or failed. */
  readonly followedBy?: StatementResult | undefined
  /** What the commands behind it in its batch gave; absent where there were none. */
  readonly behind?: BehindResult | undefined
}

/** What an abort does to a statement that runs: forget its answer, stop it on the server, end its session. */
export type AbortStrategy = 'ignore query' | 'cancel query' | 'kill session'

/** How one statement runs: until when, on which servers, and what an abort does. */
export interface RunOptions {
  readonly signal?: AbortSignal | undefined
  readonly abortStrategy?: AbortStrategy | undefined
  /** Monotonic milliseconds by which the answer must be there. */
  readonly deadline?: number | undefined
  /** Overrides the router's `reads`. */
  readonly reads?: ReadPreference | undefined
  /** Only looks at the server, and may do so while the lease on the topology is over. */
  readonly withoutLease?: true | undefined
}

/** Which servers answer reads: the primary, a replica, or a replica within a lag of milliseconds or bytes. */
export type ReadPreference =
  | 'primary'
  | 'replica'
  | { readonly maxLagMs?: number | undefined; readonly maxLagBytes?: number | undefined }

export interface LeaseOptions extends RunOptions {
  readonly access?: 'read' | 'write'
  /** True: for statements outside a transaction that need one session, also where a pooler gives each another one. */
  readonly keeps?: boolean
}

/** An exclusive client: transactions, cursors, COPY. Give it back once, by `release` or `destroy`. */
export interface Lease {
  readonly shard: number
  readonly client: PgClient
  /** pg_backend_pid() of the session. */
  readonly processId: number
  /** The same object for as long as the session lives: a key for what is known of it. Absent: nothing is remembered. */
  readonly session?: object | undefined
  /** True where `execute` takes a batch: nobody between this and the server reads along. */
  readonly takesBatches?: boolean | undefined
  /** With a batch, a statement that fails for a plan that has become stale is not sent again. */
  execute(statement: Statement, options?: RunOptions, batch?: Batch): Promise<StatementResult>
  /** Rows in chunks of at most `chunkSize`, by a server-side portal. Return() closes it. */
  stream(statement: Statement, chunkSize: number, options?: RunOptions): AsyncIterableIterator<StatementResult>
  /** Cancels what runs on this session now, from another connection. */
  cancel(): Promise<void>
  /** Terminates the session on the server. */
  kill(): Promise<void>
  /**
   * Back to the pool; the caller has ended its transaction. A promise where statements have left something in the session
   * (locks that others wait for): it resolves when that is gone.
   */
  release(): Promise<void> | undefined
  /** Closes the client: its state is unknown. */
  destroy(error?: unknown): void
}

/** The pool of a topology that may come. One of the two ends it. */
export interface PreparedTopology<List extends ShardList = Topology> {
  readonly pool: ShardPool<List>
  /** Leaves the shards that it does not name: resolves when what runs there is over and they are closed. */
  adopt(): Promise<void>
  /** Closes the shards that only it names. */
  discard(): Promise<void>
}

/** For transactions that need sessions of several shards. */
export interface SpanningLimit {
  /** So many at once find a session on every shard. */
  readonly transactions: number
  readonly acquireTimeoutMs: number
}

/** All connections to all shards. Shards are named by their index in the topology. */
export interface ShardPool<List extends ShardList = Topology> {
  /** Runs one autocommit statement on the lane that fits it. */
  execute(shard: number, statement: Statement, options?: RunOptions): Promise<StatementResult>
  lease(shard: number, options?: LeaseOptions): Promise<Lease>
  /** A new client past any pooler, with the session settings that every lane has; the caller ends it. */
  direct(
    shard: number,
    options?: { readonly applicationName?: string; readonly signal?: AbortSignal },
  ): Promise<PgClient>
  /** False while the primary of a shard is left alone, after failures in a row. */
  isReachable(shard: number): boolean
  /** The token of the latest acknowledged commit on a shard, read from the server once for many commits. */
  commitToken(shard: number): Promise<CommitToken>
  readonly topology: List
  readonly spanningLimit: SpanningLimit
  /**
   * Opens the minimum of every pool and warns when the servers do not admit the maximum. A replica that cannot be reached is
   * only logged, and so is a primary that the caller can do without.
   */
  warm(needs?: (shard: number) => boolean): Promise<void>
  /**
   * The pool of another topology. Shards whose servers are the same are shared, so that plans made with the old topology
   * still run on the old pool; `drained` resolves when what runs on the servers that left is over and they are closed.
   * Shard numbers are those of each pool's own topology: swap topology and pool together.
   */
  replaceTopology(next: List): { readonly pool: ShardPool<List>; readonly drained: Promise<void> }
  /** The same in two steps, so that the next shards can be looked at while this topology still serves. */
  prepareTopology(next: List): PreparedTopology<List>
  /**
   * Of the shards that were met: no two are one database under two names, whose rows would count twice.
   * @throws ConnectionError WRONG_SHARD
   */
  assertDistinct(): void
  /** Named statements are prepared anew: after a migration, which may have changed the types of their parameters. */
  forgetStatements(): void
  /** Waits for what runs, then closes everything. */
  close(): Promise<void>
}

/** Over shards or over the nodes of a cluster. */
export type AnyShardPool = ShardPool<ShardList>
