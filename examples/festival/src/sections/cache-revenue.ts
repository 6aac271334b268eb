import type { Cache } from '@shardwright/cache'
import { compareRows } from '../check/compare-rows.ts'
import type { Platform } from '../platform.ts'
import { type CacheResult, cacheResult } from './run-caching.ts'

const reads = 40
/** After so many reads the statistic is declared stale, as a service does after it has closed a day. */
const readsPerInvalidation = 20

/** Read-through: a statistic over all shards is computed once for all who ask. */
export async function cacheRevenue(platform: Platform, cache: Cache): Promise<CacheResult> {
  const load = () => revenuePerKind(platform)
  const started = performance.now()
  let plain: readonly object[] = []
  for (let read = 0; read < reads; read++) plain = await load()
  const cachedStarted = performance.now()
  let wrong = 0
  for (let read = 1; read <= reads; read++) {
    const rows = await cache.getOrLoad({ name: 'revenue', tenant: null, id: 'per-kind' }, load, { tags: ['revenue'] })
    if (compareRows(rows, plain, { ordered: true }) !== undefined) wrong += 1
    if (read % readsPerInvalidation === 0) await cache.invalidateTag('revenue')
  }
  return cacheResult('revenue', 'read-through', {
    reads,
    writes: 0,
    hitRatio: cache.statistics().revenue?.hitRatio ?? 0,
    plain: { readMs: cachedStarted - started, writeMs: 0 },
    withCache: { readMs: performance.now() - cachedStarted, writeMs: 0 },
    wrong,
  })
}

async function revenuePerKind({ router }: Platform): Promise<readonly object[]> {
  return await router
    .fanOut()
    .selectFrom('transactions')
    .select(({ fn }) => ['kind', fn.countAll().as('count'), fn.sum('amount').as('revenue')])
    .groupBy('kind')
    .orderBy('kind')
    .execute()
}
