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
  screen.line(
    '  milliseconds without the cache > with it; write-through reads each written row again, which its next readers find',
  )
  for (const line of tableOf(results.map(({ shown }) => shown))) screen.line(`  ${line}`)
  return results.flatMap(({ shown, wrong }) => (wrong > 0 ? [`cache of ${shown.cached}: ${wrong} wrong reads`] : []))
}

/** How long the reads and the writes took. */
interface Times {
  readonly readMs: number
  readonly writeMs: number
}

/** One line of the table. Reads and writes apart: a cache makes the ones quicker, and may make the others dearer. */
export function cacheResult(
  cached: string,
  strategy: string,
  figures: { reads: number; writes: number; hitRatio: number; plain: Times; withCache: Times; wrong: number },
): CacheResult {
  const { reads, writes, hitRatio, plain, withCache, wrong } = figures
  const change = (before: number, after: number) => `${before.toFixed(0)} > ${after.toFixed(0)}`
  return {
    shown: {
      cached,
      strategy,
      reads,
      writes,
      'hits %': (hitRatio * 100).toFixed(1),
      'reads ms': change(plain.readMs, withCache.readMs),
      'writes ms': writes === 0 ? '-' : change(plain.writeMs, withCache.writeMs),
      'stale reads': wrong,
    },
    wrong,
  }
}
