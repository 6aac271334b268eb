import { availableParallelism } from 'node:os'
import pg from 'pg'
import { alternate } from './support/alternate.ts'
import { BenchCluster, festivals, walletsPerFestival } from './support/bench-cluster.ts'
import type { Bench } from './support/bench-result.ts'
import { median } from './support/median.ts'

const callsPerRound = 60

/**
 * count(*) over four shards against the slowest single shard alone: the latency of one call after the other. Lower is
 * better. Four servers that count at once share the cores: what plain `pg` clients need for the same, one on each server,
 * stands beside it, and what the router needs more than they.
 */
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
    const alone = shards.map((shard) => async () => {
      await shard
        .selectFrom('wallets')
        .select((eb) => eb.fn.countAll<string>().as('n'))
        .execute()
    })
    const clients = await Promise.all(cluster.topology.shards.map(({ primary }) => connected(primary.url)))
    const raw = clients.map((client) => async () => {
      await client.query({ name: 'count', text: 'select count(*) as n from wallets', rowMode: 'array' })
    })
    const atOnce = async () => {
      await Promise.all(raw.map((count) => count()))
    }
    const routed = await alternate({ ours: () => latency(all), theirs: () => slowest(alone), rounds: 9 })
    const floor = await alternate({ ours: () => latency(atOnce), theirs: () => slowest(raw), rounds: 9 })
    const overhead = await alternate({ ours: () => latency(all), theirs: () => latency(atOnce), rounds: 9 })
    await Promise.all(clients.map((client) => client.end()))
    const { ratio, samples } = routed
    const least = `four pg clients at once need ${floor.ratio.toFixed(2)} x on these ${availableParallelism()} cores`
    return [
      {
        name: 'fan-out-count',
        value: ratio,
        unit: 'x',
        against: `latency of count(*) on the slowest of the four shards alone; ${least}`,
        samples,
      },
      {
        name: 'fan-out-count-overhead',
        value: overhead.ratio,
        unit: 'x',
        against: 'latency of four pg clients at once',
        samples: overhead.samples,
      },
    ]
  },
}

async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client(url)
  await client.connect()
  return client
}

async function slowest(calls: readonly (() => Promise<void>)[]): Promise<number> {
  const each: number[] = []
  for (const call of calls) each.push(await latency(call))
  return Math.max(...each)
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
