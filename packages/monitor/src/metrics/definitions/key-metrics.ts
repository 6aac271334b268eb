import { defineMetrics } from '../define-metrics.ts'
import { limits } from '../limits.ts'

/** How evenly keys are used and stored. Keys are never labels. */
export const keyMetrics = defineMetrics('keys', {
  hottest_key_ratio: {
    title: 'Share of key uses for the most frequent key',
    unit: 'ratio',
    limits: limits({
      warning: 0.2,
      critical: 0.5,
      remedy: 'See the key with `hotKeys().top()`: cache its reads, or pin it to a shard of its own.',
    }),
  },
  bucket_rows: { title: 'Rows of a shard, by its buckets', unit: 'count' },
  bucket_bytes: { title: 'Bytes of a shard, by its buckets', unit: 'bytes' },
  largest_bucket_ratio: { title: 'Largest bucket of a shard to its mean', unit: 'count' },
})
