import { z } from 'zod'
import { TopologyError } from '../errors/topology-error.ts'
import { resolveBucketMap } from './bucket-map.ts'
import { resolvePins } from './pins.ts'
import { resolveShards } from './shards.ts'
import type { Topology } from './topology.ts'
import type { TopologyInput } from './topology-input.ts'
import { type TopologyFields, topologyShape } from './topology-shape.ts'

const maxBuckets = 65536

/**
 * Checks a topology and gives it as an immutable value, with every default filled in. Opens no connection.
 * @throws TopologyError INVALID_TOPOLOGY, NO_SHARD, INVALID_BUCKET_COUNT, DUPLICATE_SHARD, INVALID_SHARD_URL,
 * DUPLICATE_SHARD_URL, UNKNOWN_SHARD, BUCKET_WITHOUT_SHARD, DUPLICATE_BUCKET, BUCKET_OUT_OF_RANGE, DUPLICATE_PIN
 * @example
 * const topology = defineTopology({
 *   hash: 'postgres',
 *   shards: [
 *     { id: 'eu-1', primary: 'postgres://app@db1:5432/festival' },
 *     { id: 'us-1', primary: 'postgres://app@db2:5432/festival', replicas: ['postgres://app@db3:5432/festival'] },
 *   ],
 *   pins: [{ family: 'festival_id', key: 'coachella-2026', shard: 'us-1' }],
 * })
 */
export function defineTopology(input: TopologyInput): Topology {
  const { id, epoch, hash, buckets, shards: shardInputs, bucketMap, pins } = readFields(input)
  checkBucketCount(buckets)
  const shards = resolveShards(shardInputs)
  const indexes = new Map(shards.map((shard, index) => [shard.id, index]))
  return Object.freeze({
    id,
    epoch,
    hash,
    buckets,
    shards,
    bucketMap: resolveBucketMap(bucketMap, buckets, indexes),
    pins: resolvePins(pins, indexes),
  })
}

function readFields(input: TopologyInput): TopologyFields {
  const parsed = topologyShape.safeParse(input)
  if (parsed.success) return parsed.data
  throw new TopologyError({
    code: 'INVALID_TOPOLOGY',
    message: `The topology is not usable: ${z.prettifyError(parsed.error)}`,
    hint: "The least is { hash: 'postgres', shards: [{ id, primary: 'postgres://...' }] }.",
    details: { fields: parsed.error.issues.map((issue) => issue.path.join('.')) },
  })
}

function checkBucketCount(buckets: number): void {
  if (Number.isInteger(buckets) && buckets >= 1 && buckets <= maxBuckets && (buckets & (buckets - 1)) === 0) return
  throw new TopologyError({
    code: 'INVALID_BUCKET_COUNT',
    message: `A topology cannot have ${buckets} buckets: their number is a power of two from 1 to ${maxBuckets}.`,
    hint: 'Use 1024 unless you know why not; it can never be changed later.',
    details: { buckets },
  })
}
