import type { HashName } from '../hashing/key-type.ts'

/** What stands between us and a server. */
export type PoolerKind = 'direct' | 'pgbouncer-session' | 'pgbouncer-transaction'

/** One PostgreSQL server (or a pooler before it); several hosts in its URL are candidates, of which one is the primary. */
export interface TopologyServer {
  /**
   * With user and password: never put it into a message; `address` is for that. Not enumerable, like `directUrl`, so logs
   * do not show it; a spread copy has to name both.
   */
  readonly url: string
  /** Host, port and database for people to read. */
  readonly address: string
  /** Past the pooler, for migrations, LISTEN and COPY; the same as `url` when there is no pooler. */
  readonly directUrl: string
  readonly pooler: PoolerKind
  /** Whether the pooler keeps named statements apart per client; `undefined`: as is usual for its kind. */
  readonly preparedStatements: boolean | undefined
  /** Relative share of reads, beside the other replicas. */
  readonly weight: number
}

/** A primary with its replicas. */
export interface TopologyShard {
  readonly id: string
  readonly primary: TopologyServer
  readonly replicas: readonly TopologyServer[]
}

/** A key placed on a named shard by hand. */
export interface Pin {
  readonly family: string
  /** Canonical text of the key. */
  readonly key: string
  /** Id of the shard. */
  readonly shard: string
}

/** Hash + buckets + shards + bucket map + pins: one immutable, deeply frozen value per epoch. Made by `defineTopology`. */
export interface Topology {
  readonly id: string
  readonly epoch: number
  readonly hash: HashName
  /** Number of buckets: a power of two, the same for ever. */
  readonly buckets: number
  readonly shards: readonly TopologyShard[]
  /** Bucket number to index in `shards`. */
  readonly bucketMap: readonly number[]
  readonly pins: readonly Pin[]
}
