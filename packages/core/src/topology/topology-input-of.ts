import type { Topology, TopologyServer, TopologyShard } from './topology.ts'
import type { BucketRange, ServerInput, ShardInput, TopologyInput } from './topology-input.ts'

/**
 * The input that gives this topology again: plain data, for storing it or for deriving the next epoch.
 * It contains the URLs with their passwords.
 * @example
 * const next = defineTopology({ ...topologyInputOf(topology), epoch: topology.epoch + 1, pins })
 */
export function topologyInputOf(topology: Topology): TopologyInput {
  return {
    id: topology.id,
    epoch: topology.epoch,
    hash: topology.hash,
    buckets: topology.buckets,
    shards: topology.shards.map(shardInputOf),
    bucketMap: rangesOf(topology),
    pins: topology.pins.map(({ family, key, shard }) => ({ family, key, shard })),
  }
}

/** The input that gives this shard again, URLs included. */
export function shardInputOf({ id, primary, replicas }: TopologyShard): ShardInput {
  return { id, primary: serverInputOf(primary), replicas: replicas.map(serverInputOf) }
}

function serverInputOf({ url, directUrl, pooler, preparedStatements, weight }: TopologyServer): ServerInput {
  return { url, directUrl, pooler, preparedStatements, weight }
}

function rangesOf(topology: Topology): BucketRange[] {
  const ranges: { from: number; to: number; shard: string }[] = []
  for (const [bucket, index] of topology.bucketMap.entries()) {
    const shard = topology.shards[index]!.id
    const last = ranges.at(-1)
    if (last?.shard === shard) last.to = bucket
    else ranges.push({ from: bucket, to: bucket, shard })
  }
  return ranges
}
