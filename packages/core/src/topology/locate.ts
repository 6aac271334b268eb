import { bucketOf } from '../hashing/bucket-of.ts'
import { canonicalKey } from '../hashing/canonical-key.ts'
import type { KeyType, KeyValue } from '../hashing/key-type.ts'
import { pinnedKeys } from './pins.ts'
import type { Topology } from './topology.ts'

/** A shard key, with what is needed to place it. */
export interface KeyToLocate {
  readonly family: string
  readonly type: KeyType
  readonly value: KeyValue
}

/** Where a key lives. */
export interface Location {
  /** Index in `topology.shards`. */
  readonly shard: number
  /** Also given for a pinned key: the bucket it would have. */
  readonly bucket: number
  /** True when a pin decided. */
  readonly pinned: boolean
}

/**
 * The shard of a key. Runs once per statement: it allocates nothing but its result for numbers and short texts.
 * @throws KeyError INVALID_SHARD_KEY
 * @example
 * locate(topology, { family: 'festival_id', type: 'text', value: 'festival-2026' }) // { shard: 3, bucket: 44, pinned: false }
 */
export function locate(topology: Topology, key: KeyToLocate): Location {
  const bucket = bucketOf(topology.hash, key.type, key.value, topology.buckets)
  if (topology.pins.length > 0) {
    const pins = pinnedKeys(topology, key.family, key.type)
    const shard = pins.size > 0 ? pins.get(canonicalKey(key.type, key.value)) : undefined
    if (shard !== undefined) return { shard, bucket, pinned: true }
  }
  return { shard: topology.bucketMap[bucket]!, bucket, pinned: false }
}
