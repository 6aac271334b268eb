import { TopologyError } from '../errors/topology-error.ts'
import type { Pin, Topology, TopologyShard } from './topology.ts'
import { shardInputOf } from './topology-input-of.ts'

/** Buckets that change from one shard to another, ascending. */
export interface BucketMove {
  readonly from: string
  readonly to: string
  readonly buckets: readonly number[]
}

/** A pin that appears, goes, or names another shard; `undefined` where there is none. */
export interface PinChange {
  readonly family: string
  readonly key: string
  readonly from: string | undefined
  readonly to: string | undefined
}

/** What changes from one topology to another. */
export interface TopologyDiff {
  readonly epochs: readonly [number, number]
  readonly addedShards: readonly string[]
  readonly removedShards: readonly string[]
  /** Shards that keep their id and change an address, a pooler or a replica. */
  readonly changedShards: readonly string[]
  readonly moves: readonly BucketMove[]
  readonly pins: readonly PinChange[]
  /** True when nothing but perhaps the epoch differs. */
  readonly same: boolean
}

/**
 * What changes from topology `a` to topology `b` of the same id, hash and buckets.
 * @throws TopologyError INCOMPATIBLE_TOPOLOGY
 * @example
 * diffTopology(before, after).moves // [{ from: 'eu-1', to: 'eu-2', buckets: [17, 18] }]
 */
export function diffTopology(a: Topology, b: Topology): TopologyDiff {
  refuseIncompatible(a, b)
  const before = new Map(a.shards.map((shard) => [shard.id, shard]))
  const after = new Map(b.shards.map((shard) => [shard.id, shard]))
  const addedShards = [...after.keys()].filter((id) => !before.has(id))
  const removedShards = [...before.keys()].filter((id) => !after.has(id))
  const changedShards = b.shards.filter((shard) => isChanged(before.get(shard.id), shard)).map(({ id }) => id)
  const moves = bucketMoves(a, b)
  const pins = pinChanges(a.pins, b.pins)
  const changes = [addedShards, removedShards, changedShards, moves, pins]
  return {
    epochs: [a.epoch, b.epoch],
    addedShards,
    removedShards,
    changedShards,
    moves,
    pins,
    same: changes.every((list) => list.length === 0),
  }
}

function refuseIncompatible(a: Topology, b: Topology): void {
  const field = (['id', 'hash', 'buckets'] as const).find((name) => a[name] !== b[name])
  if (field === undefined) return
  throw new TopologyError({
    code: 'INCOMPATIBLE_TOPOLOGY',
    message: `The topologies differ in ${field}: '${a[field]}' and '${b[field]}'.`,
    hint: `${field} is the same for ever; only shards, bucket map and pins may change.`,
    details: { field, from: a[field], to: b[field] },
  })
}

function isChanged(before: TopologyShard | undefined, after: TopologyShard): boolean {
  return before !== undefined && JSON.stringify(shardInputOf(before)) !== JSON.stringify(shardInputOf(after))
}

function bucketMoves(a: Topology, b: Topology): BucketMove[] {
  const moves = new Map<string, { from: string; to: string; buckets: number[] }>()
  for (let bucket = 0; bucket < a.buckets; bucket++) {
    const from = a.shards[a.bucketMap[bucket]!]!.id
    const to = b.shards[b.bucketMap[bucket]!]!.id
    if (from === to) continue
    const route = JSON.stringify([from, to])
    const move = moves.get(route) ?? { from, to, buckets: [] }
    move.buckets.push(bucket)
    moves.set(route, move)
  }
  return [...moves.values()]
}

function pinChanges(before: readonly Pin[], after: readonly Pin[]): PinChange[] {
  const changes: PinChange[] = []
  const identity = ({ family, key }: Pin) => JSON.stringify([family, key])
  const old = new Map(before.map((pin) => [identity(pin), pin]))
  for (const pin of after) {
    const from = old.get(identity(pin))?.shard
    old.delete(identity(pin))
    if (from !== pin.shard) changes.push({ family: pin.family, key: pin.key, from, to: pin.shard })
  }
  for (const { family, key, shard } of old.values()) changes.push({ family, key, from: shard, to: undefined })
  return changes
}
