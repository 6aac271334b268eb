import { lastHighWord } from './jenkins-hash.ts'
import { hashKey } from './key-hash.ts'
import type { KeyType, KeyValue } from './key-type.ts'

/** What PostgreSQL adds to the hash of a partition key's first column. */
export const combineConstant = 0x49a0f4dd15e5a8e3n
const combineLow = 0x15e5a8e3

/**
 * PostgreSQL's partition hash of a one-column key, 64 bits unsigned: what PARTITION BY HASH and
 * `satisfies_hash_partition` take modulo the number of partitions.
 * @throws KeyError INVALID_SHARD_KEY
 * @example
 * partitionHash('int8', 1) % 16n // 8n
 */
export function partitionHash(type: KeyType, value: KeyValue): bigint {
  const low = hashKey(type, value, true)
  const hash = (BigInt(lastHighWord() >>> 0) << 32n) | BigInt(low >>> 0)
  return BigInt.asUintN(64, hash + combineConstant)
}

/** The lower 32 bits of `partitionHash`, signed, without a BigInt: enough for any power of two up to 2^32. */
export function partitionHashLow(type: KeyType, value: unknown): number {
  return (hashKey(type, value, true) + combineLow) | 0
}
