import { type Cache, cached } from '@shardwright/cache'
import { money, Random } from '../data/random.ts'
import type { Platform } from '../platform.ts'
import { wallets } from '../schema/repositories.ts'
import { type CacheResult, cacheResult } from './run-caching.ts'

const rounds = 200
const readsPerRound = 20

/**
 * Write-through: a wallet that was changed is in the cache again before the change is confirmed. Its writes cost a read more, so
 * they are slower than without a cache; what it brings is in the reads.
 */
export async function cacheWallets(platform: Platform, cache: Cache): Promise<CacheResult> {
  const { db } = platform.router
  const through = cached(wallets, { cache, strategy: 'write-through', db })
  const plain = await work(platform, wallets)
  const withCache = await work(platform, through)
  await repeatWrites(platform, withCache.written)
  const hitRatio = cache.statistics().wallets?.hitRatio ?? 0
  return cacheResult('wallets', 'write-through', {
    reads: rounds * readsPerRound,
    writes: rounds,
    hitRatio,
    plain,
    withCache,
    wrong: plain.wrong + withCache.wrong,
  })
}

interface Work {
  readonly readMs: number
  readonly writeMs: number
  readonly wrong: number
  readonly written: ReadonlyMap<number, string>
}

/** Popular wallets are read, and after every twenty reads one is changed; each read must see the last change. */
async function work(platform: Platform, repository: typeof wallets): Promise<Work> {
  const bound = repository.with(platform.router.db)
  const rows = platform.data.rows.wallets.slice(0, 400)
  const random = new Random(11)
  const written = new Map<number, string>()
  let wrong = 0
  let [readMs, writeMs] = [0, 0]
  for (let round = 0; round < rounds; round++) {
    const places = Array.from({ length: readsPerRound }, () => random.skewedBelow(rows.length))
    const started = performance.now()
    await Promise.all(
      places.map(async (place) => {
        const found = await bound.findById(idOf(rows[place]))
        const expected = written.get(place)
        if (!found || (expected !== undefined && found.balance !== expected)) wrong += 1
      }),
    )
    const read = performance.now()
    const place = random.skewedBelow(rows.length)
    const balance = money(random.below(50_000))
    await bound.update(idOf(rows[place]), { balance })
    readMs += read - started
    writeMs += performance.now() - read
    written.set(place, balance)
  }
  return { readMs, writeMs, wrong, written }
}

/** The one PostgreSQL gets the same changes, so that the tables can be compared. */
async function repeatWrites(platform: Platform, written: ReadonlyMap<number, string>): Promise<void> {
  const one = wallets.with(platform.one)
  for (const [place, balance] of written) await one.update(idOf(platform.data.rows.wallets[place]), { balance })
}

function idOf(row: { festival_id: string; id: string | number | bigint } | undefined) {
  return { festival_id: row?.festival_id ?? '', id: row?.id ?? '' }
}
