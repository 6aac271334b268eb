import { z } from 'zod'
import { type AnyTopology, type CitusTopology, isCitus } from '../citus/citus-topology.ts'
import type { CitusTopologyInput } from '../citus/citus-topology-input.ts'
import { defineCitusTopology } from '../citus/define-citus-topology.ts'
import { TopologyError } from '../errors/topology-error.ts'
import { assertBucketCount } from '../hashing/bucket-count.ts'
import { resolveBucketMap } from './bucket-map.ts'
import { resolvePins } from './pins.ts'
import { resolveShards } from './shards.ts'
import type { Topology } from './topology.ts'
import type { TopologyInput } from './topology-input.ts'
import { type TopologyFields, topologyShape } from './topology-shape.ts'

/**
 * Checks a topology and gives it as an immutable value, with every default filled in. Opens no connection. With
 * `engine: 'citus'` it is a cluster, whose own metadata says the rest.
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
 * const cluster = defineTopology({ engine: 'citus', coordinator: 'postgres://app@coordinator:5432/festival' })
 */
export function defineTopology(input: TopologyInput): Topology
export function defineTopology(input: CitusTopologyInput): CitusTopology
export function defineTopology(input: TopologyInput | CitusTopologyInput): AnyTopology
export function defineTopology(input: TopologyInput | CitusTopologyInput): AnyTopology {
  return isCitus(input) ? defineCitusTopology(input) : defineHashTopology(input as TopologyInput)
}

function defineHashTopology(input: TopologyInput): Topology {
  const { id, epoch, hash, buckets, shards: shardInputs, bucketMap, pins } = readFields(input)
  assertBucketCount(buckets)
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
