import { TopologyError } from '../errors/topology-error.ts'

const maxBuckets = 65536

/** True for a power of two from 1 to 65536. */
function isBucketCount(buckets: number): boolean {
  // The bit trick alone holds only within 32 bits.
  return buckets >= 1 && buckets <= maxBuckets && (buckets & (buckets - 1)) === 0 && Number.isInteger(buckets)
}

/** @throws TopologyError INVALID_BUCKET_COUNT */
export function assertBucketCount(buckets: number): void {
  if (isBucketCount(buckets)) return
  throw new TopologyError({
    code: 'INVALID_BUCKET_COUNT',
    message: `There cannot be ${buckets} buckets: their number is a power of two from 1 to ${maxBuckets}.`,
    hint: 'Use 1024 unless you know why not; it can never be changed later.',
    details: { buckets },
  })
}
