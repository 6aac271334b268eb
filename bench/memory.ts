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

/**
 * Growth of the resident memory over 1,000,000 routed statements of 1,000 shapes, counted from before the first of them.
 * Free pages that V8 keeps for itself are given back before each look: how many it keeps at an instant is chance.
 */
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
    const before = await measure()
    const after: Memory[] = []
    for (let part = 0; part < parts; part++) {
      await run(statements / parts)
      after.push(await measure())
    }
    const against = `before the first of ${statements} statements of ${shapes} shapes`
    return [
      { name: 'memory', value: growth(before, after, 'resident'), unit: 'MiB', against, samples: parts },
      { name: 'memory-heap', value: growth(before, after, 'heap'), unit: 'MiB', against, samples: parts },
    ]
  },
}

interface Memory {
  readonly resident: number
  /** Of objects that are in use. */
  readonly heap: number
}

function growth(before: Memory, after: readonly Memory[], kind: keyof Memory): number {
  const grown = after.map((memory) => memory[kind] - before[kind])
  return Math.max(grown.at(-1)!, median(grown)) / 2 ** 20
}

type Collect = (options: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void

// What the collector has not yet looked at is no growth.
async function measure(): Promise<Memory> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as Collect
  for (let turn = 0; turn < 5; turn++) {
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  const { rss, heapUsed } = process.memoryUsage()
  return { resident: rss, heap: heapUsed }
}
