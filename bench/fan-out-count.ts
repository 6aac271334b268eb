import { alternate } from './support/alternate.ts'
import { BenchCluster, festivals, walletsPerFestival } from './support/bench-cluster.ts'
import type { Bench } from './support/bench-result.ts'
import { median } from './support/median.ts'

const callsPerRound = 60

/** count(*) over four shards against the slowest single shard alone: the latency of one after the other. Lower is better. */
export const bench: Bench = {
  name: 'fan-out-count',
  async run() {
    await using cluster = await BenchCluster.start()
    const fanOut = cluster.router.fanOut()
    const all = async () => {
      const { n } = await fanOut
        .selectFrom('wallets')
        .select((eb) => eb.fn.countAll<string>().as('n'))
        .executeTakeFirstOrThrow()
      if (Number(n) !== festivals * walletsPerFestival) throw new Error(`counted ${n}`)
    }
    const shards = cluster.topology.shards.map(({ id }) => cluster.router.onShard(id))
    const slowest = async () => {
      const each: number[] = []
      for (const shard of shards) {
        each.push(
          await latency(() =>
            shard
              .selectFrom('wallets')
              .select((eb) => eb.fn.countAll<string>().as('n'))
              .execute(),
          ),
        )
      }
      return Math.max(...each)
    }
    const { ratio, samples } = await alternate({ ours: () => latency(all), theirs: slowest, rounds: 9 })
    return {
      name: 'fan-out-count',
      value: ratio,
      unit: 'x',
      against: 'latency of count(*) on the slowest of the four shards alone',
      samples,
    }
  },
}

async function latency(call: () => Promise<unknown>): Promise<number> {
  const durations: number[] = []
  for (let turn = 0; turn < callsPerRound; turn++) {
    const start = performance.now()
    await call()
    durations.push(performance.now() - start)
  }
  return median(durations)
}
