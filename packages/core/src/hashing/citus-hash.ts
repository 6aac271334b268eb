import { hashKey } from './key-hash.ts'
import type { KeyType, KeyValue } from './key-type.ts'

/**
 * Citus' hash of a distribution column (`worker_hash`): the type's plain 32-bit hash, signed.
 * @throws KeyError INVALID_SHARD_KEY
 * @example
 * citusHash('int8', 1) // -1905060026
 */
export function citusHash(type: KeyType, value: KeyValue): number {
  return hashKey(type, value, false)
}
