import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { sql } from 'kysely'
import { BenchCluster, keyOf } from './support/bench-cluster.ts'
import type { Bench } from './support/bench-result.ts'
import { median } from './support/median.ts'

const statements = 1_000_000
const shapes = 1_000
const concurrency = 32
const parts = 5
// By then compiled code and the collector's young space have their size.
const warmUses = 200

/** Growth of the resident memory over 1,000,000 routed statements of 1,000 shapes, after every shape was met. */
export const bench: Bench = {
  name: 'memory',
  async run() {
    await using cluster = await BenchCluster.start()
    const { db } = cluster.router
    const run = async (count: number) => {
      let turn = 0
      await Promise.all(
        Array.from({ length: concurrency }, async () => {
          while (turn < count) {
            const { festival, wallet } = keyOf(turn)
            const shape = turn++ % shapes
            await db
              .selectFrom('wallets')
              .select([sql.lit(shape).as('shape'), 'id', 'balance'])
              .where('festival_id', '=', festival)
              .where('id', '=', wallet)
              .execute()
          }
        }),
      )
    }
    await run(shapes * warmUses)
    const before = await resident()
    const growth: number[] = []
    for (let part = 0; part < parts; part++) {
      await run(statements / parts)
      growth.push((await resident()) - before)
    }
    return {
      name: 'memory',
      value: Math.max(growth.at(-1)!, median(growth)) / 2 ** 20,
      unit: 'MiB',
      against: `resident memory after ${warmUses} uses of every shape; ${statements} statements of ${shapes} shapes`,
      samples: parts,
    }
  },
}

// What the collector has not yet looked at is no growth.
async function resident(): Promise<number> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  for (let turn = 0; turn < 5; turn++) {
    collect()
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return process.memoryUsage.rss()
}
