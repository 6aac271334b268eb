import type { TopologyInput } from '@shardwright/core'

export const a = { id: 'a', primary: 'postgres://app:s3cret@db1:5432/festival' }
export const b = { id: 'b', primary: 'postgres://app:s3cret@db2:5432/festival' }

/** A small topology that is right. */
export const base: TopologyInput = { hash: 'postgres', buckets: 8, shards: [a, b] }
