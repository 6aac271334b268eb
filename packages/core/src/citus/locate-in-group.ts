import { citusHash } from '../hashing/citus-hash.ts'
import type { KeyType, KeyValue } from '../hashing/key-type.ts'
import type { ColocationGroup } from './citus-metadata.ts'

/**
 * The index in `group.shards` of the shard that holds a key, or -1 when the group has none for it. `type` is the type of
 * the distribution column.
 * @throws KeyError INVALID_SHARD_KEY
 * @example
 * group.shards[locateInGroup(group, 'int8', 42n)]?.groupIds // [1]
 */
export function locateInGroup(group: ColocationGroup, type: KeyType, value: KeyValue): number {
  return indexOfHash(group, citusHash(type, value))
}

function indexOfHash({ shards }: ColocationGroup, hash: number): number {
  let low = 0
  let high = shards.length - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    const { min, max } = shards[middle]!
    if (min === undefined || max === undefined) return -1
    if (hash < min) high = middle - 1
    else if (hash > max) low = middle + 1
    else return middle
  }
  return -1
}
