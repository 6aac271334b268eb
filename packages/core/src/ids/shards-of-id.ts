import { bucketOf } from '../hashing/bucket-of.ts'
import type { KeyType } from '../hashing/key-type.ts'
import { pinnedKeys } from '../topology/pins.ts'
import type { Topology } from '../topology/topology.ts'
import { type IdLayout, readId } from './id-layout.ts'

export interface IdOwner {
  /** The family of the row's shard key. */
  readonly family: string
  readonly type: KeyType
}

/**
 * The shards (indexes in `topology.shards`) on which the row of an id can be: the owner of the id's bucket, and the
 * shards of pinned keys that hash to the same bucket. Nearly always one; the row is on at most one of them.
 * @throws IdError INVALID_ID
 * @example
 * shardsOfId(topology, layout, { family: 'festival_id', type: 'text' }, order.id) // [3]
 */
export function shardsOfId(
  topology: Topology,
  layout: IdLayout,
  owner: IdOwner,
  id: bigint | string,
): readonly number[] {
  const { bucket } = readId(layout, id)
  const shards = new Set([topology.bucketMap[bucket]!])
  for (const [key, shard] of pinnedKeys(topology, owner.family, owner.type)) {
    if (bucketOf(topology.hash, owner.type, key, topology.buckets) === bucket) shards.add(shard)
  }
  return [...shards]
}
