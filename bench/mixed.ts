import { type Kysely, sql } from 'kysely'
import { alternate } from './support/alternate.ts'
import { BenchCluster, type BenchDatabase, keyOf } from './support/bench-cluster.ts'
import type { Bench } from './support/bench-result.ts'
import { percentile } from './support/median.ts'

const roundMs = 1_500
const concurrency = 32

/** 99 % point reads and 1 % statements of 50 ms: the 99th percentile of the point reads. Lower is better. */
export const bench: Bench = {
  name: 'mixed-p99',
  async run() {
    await using cluster = await BenchCluster.start()
    const routed = () => cluster.router.db
    const picked = (festival: number) => cluster.stock[cluster.shardOf(festival)]!
    const { ratio, samples } = await alternate({ ours: () => p99(routed), theirs: () => p99(picked) })
    return {
      name: 'mixed-p99',
      value: ratio,
      unit: 'x',
      against: 'p99 of point reads by stock Kysely, same mix',
      samples,
    }
  },
}

async function p99(dbOf: (festival: number) => Kysely<BenchDatabase>): Promise<number> {
  const until = performance.now() + roundMs
  const durations: number[] = []
  let turn = 0
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (performance.now() < until) {
        const { festival, wallet } = keyOf(turn++)
        const db = dbOf(festival)
        if (turn % 100 === 0) {
          await slow(db, festival)
          continue
        }
        const start = performance.now()
        await db
          .selectFrom('wallets')
          .selectAll()
          .where('festival_id', '=', festival)
          .where('id', '=', wallet)
          .execute()
        durations.push(performance.now() - start)
      }
    }),
  )
  return percentile(durations, 0.99)
}

function slow(db: Kysely<BenchDatabase>, festival: number): Promise<unknown> {
  return db
    .selectFrom('wallets')
    .select((eb) => [eb.fn.countAll().as('n'), sql`pg_sleep(0.05)::text`.as('pause')])
    .where('festival_id', '=', festival)
    .execute()
}
