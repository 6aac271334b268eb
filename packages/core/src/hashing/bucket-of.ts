import { assertBucketCount } from './bucket-count.ts'
import type { HashName, KeyType, KeyValue } from './key-type.ts'
import { murmur3 } from './murmur3.ts'
import { partitionHashLow } from './partition-hash.ts'

/**
 * The bucket of a key: from 0 to `buckets - 1`. `buckets` is a power of two up to 65536.
 * @throws KeyError INVALID_SHARD_KEY; TopologyError INVALID_BUCKET_COUNT
 * @example
 * bucketOf('postgres', 'text', 'festival-2026', 16) // 12
 */
export function bucketOf(hash: HashName, type: KeyType, value: KeyValue, buckets: number): number {
  assertBucketCount(buckets)
  const word = hash === 'postgres' ? partitionHashLow(type, value) : murmur3(type, value)
  return word & (buckets - 1)
}
