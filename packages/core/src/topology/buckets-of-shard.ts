import { TopologyError } from '../errors/topology-error.ts'
import type { Topology } from './topology.ts'

/**
 * The buckets that the bucket map gives to a shard, ascending. Pins are not part of it.
 * @throws TopologyError UNKNOWN_SHARD
 * @example
 * bucketsOfShard(topology, 'eu-1') // [0, 1, 2, ...]
 */
export function bucketsOfShard(topology: Topology, shard: string): readonly number[] {
  const index = shardIndexOf(topology, shard)
  return topology.bucketMap.flatMap((owner, bucket) => (owner === index ? [bucket] : []))
}

/**
 * The index of a shard in `topology.shards`.
 * @throws TopologyError UNKNOWN_SHARD
 * @example
 * topology.shards[shardIndexOf(topology, 'eu-1')]
 */
export function shardIndexOf(topology: Topology, shard: string): number {
  const index = topology.shards.findIndex(({ id }) => id === shard)
  if (index !== -1) return index
  throw new TopologyError({
    code: 'UNKNOWN_SHARD',
    message: `The topology '${topology.id}' has no shard '${shard}'.`,
    hint: `The shards are: ${topology.shards.map(({ id }) => id).join(', ')}.`,
    details: { shard },
  })
}
