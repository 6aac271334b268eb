import type { HashName } from '../hashing/key-type.ts'
import type { PoolerKind } from './topology.ts'

/**
 * A server: its URL, or its URL with what stands before it. `postgres://u:p@a,b/db` names two candidates, of which one is
 * the primary.
 */
export type ServerInput =
  | string
  | {
      readonly url: string
      /** Past the pooler. Default: `url`. */
      readonly directUrl?: string | undefined
      /** Default: `direct`. */
      readonly pooler?: PoolerKind | undefined
      /** PgBouncer 1.21 and newer keep named statements apart per client in transaction mode; older ones do not. */
      readonly preparedStatements?: boolean | undefined
      /** Relative share of reads, beside the other replicas. Default: 1. */
      readonly weight?: number | undefined
    }

export interface ShardInput {
  readonly id: string
  readonly primary: ServerInput
  readonly replicas?: readonly ServerInput[] | undefined
}

/** Buckets `from` to `to`, both included. */
export interface BucketRange {
  readonly from: number
  readonly to: number
  readonly shard: string
}

export interface PinInput {
  readonly family: string
  /** Integers may be given as number or bigint; otherwise the key's text. */
  readonly key: string | number | bigint
  readonly shard: string
}

/** What `defineTopology` takes. */
export interface TopologyInput {
  /** Shards of plain PostgreSQL. Default. For Citus see `CitusTopologyInput`. */
  readonly engine?: 'hash' | undefined
  /** Names the topology on its servers. Default: `default`. */
  readonly id?: string | undefined
  /** Grows with each change of shards, bucket map or pins. Default: 1. */
  readonly epoch?: number | undefined
  readonly hash: HashName
  /** A power of two from 1 to 65536. Default: 1024. Can never be changed later. */
  readonly buckets?: number | undefined
  readonly shards: readonly ShardInput[]
  /** Shard id per bucket, or ranges. Default: even contiguous ranges in the order of `shards`. */
  readonly bucketMap?: readonly string[] | readonly BucketRange[] | undefined
  readonly pins?: readonly PinInput[] | undefined
}
