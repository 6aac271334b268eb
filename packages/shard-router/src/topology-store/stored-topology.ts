import { defineTopology, type Topology, type TopologyShard, topologyInputOf } from '@shardwright/core'
import { z } from 'zod'
import { topologyStoreError } from './topology-store-error.ts'

/** A topology as the shards keep it: no URL and no password; each process knows its servers by their shard ids. */
export type StoredTopology = z.infer<typeof storedShape>

const storedShape = z.object({
  id: z.string(),
  epoch: z.int().min(0),
  hash: z.enum(['postgres', 'murmur3']),
  buckets: z.int().min(1),
  shards: z.array(z.string()).min(1),
  bucketMap: z.array(z.object({ from: z.int(), to: z.int(), shard: z.string() })),
  pins: z.array(z.object({ family: z.string(), key: z.string(), shard: z.string() })),
})

type Range = StoredTopology['bucketMap'][number]

export function toStored(topology: Topology): StoredTopology {
  const { id, epoch, hash, buckets, pins } = topology
  const bucketMap = topologyInputOf(topology).bucketMap as readonly Range[]
  return {
    id,
    epoch,
    hash,
    buckets,
    shards: topology.shards.map((shard) => shard.id),
    bucketMap: bucketMap.map((range) => ({ ...range })),
    pins: pins.map((pin) => ({ ...pin })),
  }
}

/** @throws TopologyError TOPOLOGY_DAMAGED */
export function readStored(document: unknown): StoredTopology {
  const parsed = storedShape.safeParse(document)
  if (parsed.success) return parsed.data
  const message = `The stored topology cannot be read: ${z.prettifyError(parsed.error)}`
  throw topologyStoreError('TOPOLOGY_DAMAGED', message, {}, parsed.error)
}

/**
 * The topology of a stored one, with the servers that this process knows.
 * @throws TopologyError TOPOLOGY_SHARD_UNKNOWN
 */
export function fromStored(stored: StoredTopology, known: readonly TopologyShard[]): Topology {
  const byId = new Map(known.map((shard) => [shard.id, shard]))
  const shards = stored.shards.map((id) => {
    const shard = byId.get(id)
    if (shard !== undefined) return shard
    throw topologyStoreError('TOPOLOGY_SHARD_UNKNOWN', `Epoch ${stored.epoch} names the unknown shard '${id}'.`, {
      shard: id,
      epoch: stored.epoch,
    })
  })
  const inputs = shards.map(({ id, primary, replicas }) => ({
    id,
    primary: serverOf(primary),
    replicas: replicas.map(serverOf),
  }))
  return defineTopology({ ...stored, shards: inputs })
}

function serverOf({ url, directUrl, pooler, preparedStatements, weight }: TopologyShard['primary']) {
  return { url, directUrl, pooler, preparedStatements, weight }
}
