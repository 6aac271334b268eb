import { type Cache, cached } from '@shardwright/cache'
import { Random } from '../data/random.ts'
import type { Platform } from '../platform.ts'
import { festivals } from '../schema/repositories.ts'
import { type CacheResult, cacheResult } from './run-caching.ts'

const reads = 2_000

/** Cache-aside: a reference table that hardly ever changes. */
export async function cacheFestivals(platform: Platform, cache: Cache): Promise<CacheResult> {
  const aside = cached(festivals, { cache, strategy: 'cache-aside', ttlMs: 3_600_000 })
  const plain = await work(platform, festivals)
  const withCache = await work(platform, aside)
  return cacheResult('festivals', 'cache-aside', {
    reads,
    writes: 0,
    hitRatio: cache.statistics().festivals?.hitRatio ?? 0,
    plain,
    withCache,
    wrong: plain.wrong + withCache.wrong,
  })
}

async function work(platform: Platform, repository: typeof festivals) {
  const bound = repository.with(platform.router.db)
  const random = new Random(12)
  let wrong = 0
  const started = performance.now()
  for (let left = reads; left > 0; left -= 20) {
    const asked = Array.from({ length: 20 }, () => random.pick(platform.data.festivals))
    const found = await Promise.all(asked.map(({ id }) => bound.findById({ id })))
    wrong += found.filter((row, index) => row?.name !== asked[index]?.name).length
  }
  return { readMs: performance.now() - started, writeMs: 0, wrong }
}
