import type { InvalidationSource } from '../cache/cache-options.ts'
import { drainBatch } from './outbox-drain.ts'
import { pollingSource, type SourceOptions } from './polling-source.ts'

/**
 * Delivers what the triggers of `installOutbox` wrote down. Any number of processes may drain the same shards.
 * @throws CacheError CACHE_OPTIONS
 * @example
 * const cache = createCache({ namespace: 'shop', tiers, outbox: createOutbox({ fleet: router.fleet }) })
 */
export function createOutbox(options: SourceOptions): InvalidationSource {
  return pollingSource('createOutbox', options, drainBatch)
}
