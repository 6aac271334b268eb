import type { Fleet } from '@shardwright/core'
import type { LocalRedis } from '../redis/local-redis.ts'

/** What a server does now. */
export type ServerState = 'running' | 'paused' | 'stopped'

export interface StopOptions {
  /** `fast` ends sessions and writes a checkpoint, `immediate` stops like a crash that lost nothing on disk. */
  readonly mode?: 'fast' | 'immediate'
  /** After this many milliseconds the call fails with SERVER_STOP_TIMEOUT; default 30,000. */
  readonly timeoutMs?: number
}

/** One process (tree) that can be disturbed. Each call resolves when its effect has taken place. */
export interface ServerControl {
  readonly state: ServerState
  /** Starts a server that was stopped or killed, on the same port with the same data. */
  start(): Promise<void>
  /** A clean end. A paused server is resumed first. */
  stop(options?: StopOptions): Promise<void>
  /** Ends all processes of the server at one instant (SIGKILL). */
  kill(): Promise<void>
  /** Freezes all processes (SIGSTOP): connections stay open and nothing answers. */
  pause(): Promise<void>
  /** Lets a paused server go on. */
  resume(): Promise<void>
  /** Stops (when it runs) and starts again. */
  restart(options?: StopOptions): Promise<void>
}

export interface CreateDatabaseOptions {
  /** An ICU locale for the database's default collation; `true` means `und`. Default: as the server's template. */
  readonly icu?: boolean | string
}

/** One PostgreSQL server. */
export interface LocalServer extends ServerControl {
  /** Unique in the cluster, e.g. `server-1` or `server-1-replica-1`. */
  readonly id: string
  readonly host: string
  readonly port: number
  /** The URL of a database of this server. */
  urlOf(database: string): string
  /** Creates an empty database and returns its URL. */
  createDatabase(name: string, options?: CreateDatabaseOptions): Promise<string>
  /** Makes a replica's server a primary of its own; resolves when it takes writes. */
  promote(): Promise<void>
  /** The last lines of the server's log, for a failing test to show. */
  logTail(lines?: number): Promise<string>
}

/** A streaming replica of a shard's server. */
export interface LocalReplica extends ServerControl {
  readonly id: string
  /** The shard's database on this replica. */
  readonly url: string
  readonly server: LocalServer
  /** Makes the replica a primary of its own; resolves when it takes writes. */
  promote(): Promise<void>
  /** Resolves when the replica has replayed all that the primary had written when it was called. */
  caughtUp(timeoutMs?: number): Promise<void>
}

/** A shard: a database on a primary, with its replicas. With `databasePerShard` several shards share one server. */
export interface LocalShard extends ServerControl {
  /** `shard-1`, `shard-2`, ... */
  readonly id: string
  /** `postgres://user:password@127.0.0.1:port/database` of the primary. */
  readonly url: string
  readonly database: string
  readonly server: LocalServer
  readonly replicas: readonly LocalReplica[]
  /** Creates another database on the shard's server and returns its URL. */
  createDatabase(name: string, options?: CreateDatabaseOptions): Promise<string>
  /** Makes one more streaming replica of the shard's server. */
  addReplica(): Promise<LocalReplica>
}

/** The shards as a topology takes them. */
export interface TopologyShards {
  readonly shards: readonly { readonly id: string; readonly primary: string; readonly replicas: readonly string[] }[]
}

/** Running servers. Dispose it, or call `stop`; when the process ends without either, they end too. */
export interface LocalCluster extends AsyncDisposable {
  readonly shards: readonly LocalShard[]
  /** The primaries' servers: one per shard, or one in all with `databasePerShard`. */
  readonly servers: readonly LocalServer[]
  readonly redis: LocalRedis | undefined
  /** The shard of this id. */
  shard(id: string): LocalShard
  /** `{ shards: [{ id, primary, replicas }] }` with URLs, to spread into a topology. */
  topologyInput(): TopologyShards
  /** Core's Fleet over the primaries; `topologyId` names it in reports and locks, default `local-cluster`. */
  fleet(topologyId?: string): Fleet
  /** Ends all servers and removes their data. Idempotent. */
  stop(): Promise<void>
}
