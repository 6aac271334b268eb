import type { Kysely } from 'kysely'
import type { PgClient, PgResult } from './pg-client.ts'

/**
 * All shards, for work that is done on each of them: migrations, partitions, views, recovery.
 * One unsharded database is a fleet of one. `router.fleet` is a Fleet; `createFleet` makes one from URLs.
 */
export interface Fleet {
  /** In topology order. */
  readonly shards: readonly FleetShard[]
  /** Names the topology (or the database) in reports and lock names. */
  readonly topologyId: string
}

export interface FleetShard {
  readonly id: string
  /** Host, port and database for people to read; never user or password. */
  readonly address: string
  /**
   * Opens a dedicated connection to the primary, past any pooler (the direct lane).
   * The caller releases it; `await using` does so too.
   * @throws ConnectionError SHARD_UNREACHABLE
   */
  connect(options?: FleetConnectOptions): Promise<FleetConnection>
}

export interface FleetConnectOptions {
  readonly applicationName?: string
  readonly signal?: AbortSignal
}

export interface FleetConnection extends AsyncDisposable {
  readonly shardId: string
  query<R = Record<string, unknown>>(sql: string, parameters?: readonly unknown[]): Promise<PgResult<R>>
  /** Several statements without parameters, by the simple protocol. */
  script(sql: string): Promise<void>
  /** A Kysely over this one connection; destroying it does not close the connection. */
  kysely<Database>(): Kysely<Database>
  /** The driver's client, for COPY and LISTEN. */
  readonly client: PgClient
  /** Closes the connection. Idempotent. */
  release(): Promise<void>
}
