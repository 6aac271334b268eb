import { KeyError } from '../errors/key-error.ts'
import { TopologyError } from '../errors/topology-error.ts'
import { canonicalKey } from '../hashing/canonical-key.ts'
import type { KeyType } from '../hashing/key-type.ts'
import type { Pin, Topology } from './topology.ts'
import type { TopologyFields } from './topology-shape.ts'

/** Checks that pins name shards that exist and that no key is pinned twice. */
export function resolvePins(inputs: TopologyFields['pins'], indexes: ReadonlyMap<string, number>): readonly Pin[] {
  const seen = new Set<string>()
  const pins = inputs.map(({ family, key, shard }) => {
    if (!indexes.has(shard)) throw unknownShard(family, shard, indexes)
    const text = String(key)
    const identity = JSON.stringify([family, text])
    if (seen.has(identity)) throw duplicatePin(family)
    seen.add(identity)
    return Object.freeze({ family, key: text, shard })
  })
  return Object.freeze(pins)
}

/** Shard index by canonical key, for one family whose key has the given type. */
export type PinnedKeys = ReadonlyMap<string, number>

const noPins: PinnedKeys = new Map()
/** Derived data of an immutable value, made on first use: what type a family's key has is known only from the server. */
const pinnedByTopology = new WeakMap<Topology, Map<string, Map<KeyType, PinnedKeys>>>()

/**
 * The pinned keys of a family as keys of `type`.
 * @throws TopologyError INVALID_TOPOLOGY when a pinned key is no key of this type, DUPLICATE_PIN when two are equal in it
 */
export function pinnedKeys(topology: Topology, family: string, type: KeyType): PinnedKeys {
  let families = pinnedByTopology.get(topology)
  if (!families) {
    families = new Map()
    pinnedByTopology.set(topology, families)
  }
  let types = families.get(family)
  if (!types) {
    types = new Map()
    families.set(family, types)
  }
  let keys = types.get(type)
  if (!keys) {
    keys = readPins(topology, family, type)
    types.set(type, keys)
  }
  return keys
}

function readPins(topology: Topology, family: string, type: KeyType): PinnedKeys {
  const pins = topology.pins.filter((pin) => pin.family === family)
  if (pins.length === 0) return noPins
  const keys = new Map<string, number>()
  for (const pin of pins) {
    const key = canonicalPin(pin, type)
    if (keys.has(key)) throw duplicatePin(family)
    keys.set(
      key,
      topology.shards.findIndex((shard) => shard.id === pin.shard),
    )
  }
  return keys
}

function canonicalPin(pin: Pin, type: KeyType): string {
  try {
    return canonicalKey(type, pin.key)
  } catch (cause) {
    if (!(cause instanceof KeyError)) throw cause
    throw new TopologyError({
      code: 'INVALID_TOPOLOGY',
      message: `A pin of family '${pin.family}' to shard '${pin.shard}' has a key that is no ${type}: ${cause.message}`,
      hint: `Keys of '${pin.family}' are of type ${type} on the servers; correct the pin.`,
      details: { family: pin.family, shard: pin.shard, type },
      cause,
    })
  }
}

function unknownShard(family: string, shard: string, indexes: ReadonlyMap<string, number>): TopologyError {
  return new TopologyError({
    code: 'UNKNOWN_SHARD',
    message: `A pin of family '${family}' names shard '${shard}', which the topology does not have.`,
    hint: `The shards are: ${[...indexes.keys()].join(', ')}.`,
    details: { family, shard },
  })
}

function duplicatePin(family: string): TopologyError {
  return new TopologyError({
    code: 'DUPLICATE_PIN',
    message: `A key of family '${family}' is pinned twice.`,
    hint: 'Keep one of the two pins.',
    details: { family },
  })
}
