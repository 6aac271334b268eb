import { type Cache, createCache, memoryTier } from '@shardwright/cache'
import type { Platform } from '../platform.ts'
import type { Screen } from '../show/screen.ts'
import { tableOf } from '../show/table.ts'
import { cacheFestivals } from './cache-festivals.ts'
import { cacheRevenue } from './cache-revenue.ts'
import { cacheWallets } from './cache-wallets.ts'

/** What one strategy brought: the same work with and without the cache. */
export interface CacheResult {
  readonly shown: Readonly<Record<string, string | number>>
  /** Reads that were not what had been written. */
  readonly wrong: number
}

/** The three strategies, with hit ratios and times. Gives what went wrong. */
export async function runCaching(screen: Screen, platform: Platform): Promise<string[]> {
  screen.heading('Caches: the same reads and writes with and without')
  const cache: Cache = createCache({ namespace: 'festival', tiers: [memoryTier({ maxEntries: 20_000 })] })
  const results = [
    await cacheWallets(platform, cache),
    await cacheFestivals(platform, cache),
    await cacheRevenue(platform, cache),
  ]
  await cache.close()
  for (const line of tableOf(results.map(({ shown }) => shown))) screen.line(`  ${line}`)
  return results.flatMap(({ shown, wrong }) => (wrong > 0 ? [`cache of ${shown.cached}: ${wrong} wrong reads`] : []))
}

/** One line of the table. */
export function cacheResult(
  cached: string,
  strategy: string,
  figures: { reads: number; writes: number; hitRatio: number; plainMs: number; cachedMs: number; wrong: number },
): CacheResult {
  const { reads, writes, hitRatio, plainMs, cachedMs, wrong } = figures
  return {
    shown: {
      cached,
      strategy,
      reads,
      writes,
      'hits %': (hitRatio * 100).toFixed(1),
      'ms without': plainMs.toFixed(0),
      'ms with': cachedMs.toFixed(0),
      'stale reads': wrong,
    },
    wrong,
  }
}
