import { availableParallelism } from 'node:os'
import type { Topology } from '@shardwright/core'
import { createShardRouter } from '@shardwright/shard-router'
import pg from 'pg'
import { alternate } from './support/alternate.ts'
import { BenchCluster, festivals, schema, walletsPerFestival } from './support/bench-cluster.ts'
import type { Bench, BenchResult } from './support/bench-result.ts'
import { callByCall, duration } from './support/call-by-call.ts'
import { DistantServers } from './support/distant-servers.ts'
import { median } from './support/median.ts'

const callsPerRound = 60
/** One way to a server that stands apart, milliseconds. */
const delayMs = 1

/**
 * count(*) over four shards against the slowest single shard alone: the latency of one call after the other. Lower is
 * better. Four servers that count at once share the cores: what plain `pg` clients need for the same, one on each server,
 * stands beside it, and what the router needs more than they. `apart`: the same with a network in between, where a count
 * is mostly waiting and the servers' work is not taken from the client.
 */
export const bench: Bench = {
  name: 'fan-out-count',
  async run() {
    await using cluster = await BenchCluster.start()
    return [...(await here(cluster)), await apart(cluster)]
  },
}

async function here({ router, topology }: BenchCluster): Promise<BenchResult[]> {
  await using clients = await RawClients.connect(topology)
  const counts = countsOf(router)
  const routed = await alternate({ ours: () => latency(counts.all), theirs: () => slowest(counts.alone), rounds: 9 })
  const raw = await alternate({ ours: () => latency(clients.all), theirs: () => slowest(clients.alone), rounds: 9 })
  const overhead = await callByCall(counts.all, clients.all)
  const least = `four pg clients at once need ${raw.ratio.toFixed(2)} x on these ${availableParallelism()} cores`
  return [
    {
      name: 'fan-out-count',
      value: routed.ratio,
      unit: 'x',
      against: `latency of count(*) on the slowest of the four shards alone; ${least}`,
      samples: routed.samples,
    },
    {
      name: 'fan-out-count-overhead',
      value: overhead.ratio,
      unit: 'x',
      against: 'latency of four pg clients at once, call by call',
      samples: overhead.samples,
    },
  ]
}

async function apart({ topology }: BenchCluster): Promise<BenchResult> {
  await using distant = await DistantServers.start(topology, delayMs)
  await using clients = await RawClients.connect(distant.topology)
  await using router = createShardRouter({ schema, topology: distant.topology })
  await router.ready()
  const counts = countsOf(router)
  const routed = await alternate({ ours: () => latency(counts.all), theirs: () => slowest(counts.alone), rounds: 9 })
  const raw = await alternate({ ours: () => latency(clients.all), theirs: () => slowest(clients.alone), rounds: 9 })
  return {
    name: 'fan-out-count-apart',
    value: routed.ratio,
    unit: 'x',
    against: `the slowest shard alone, each ${2 * delayMs} ms or more away; four pg clients at once need ${raw.ratio.toFixed(2)} x`,
    samples: routed.samples,
  }
}

interface Counts {
  readonly all: () => Promise<void>
  readonly alone: readonly (() => Promise<void>)[]
}

function countsOf(router: BenchCluster['router']): Counts {
  const fanOut = router.fanOut()
  const all = async () => {
    const { n } = await fanOut
      .selectFrom('wallets')
      .select((eb) => eb.fn.countAll<string>().as('n'))
      .executeTakeFirstOrThrow()
    if (Number(n) !== festivals * walletsPerFestival) throw new Error(`counted ${n}`)
  }
  const shards = router.topology.shards.map(({ id }) => router.onShard(id))
  const alone = shards.map((shard) => async () => {
    await shard
      .selectFrom('wallets')
      .select((eb) => eb.fn.countAll<string>().as('n'))
      .execute()
  })
  return { all, alone }
}

/** The same counts by a plain `pg` client on each server. */
class RawClients implements Counts, AsyncDisposable {
  readonly alone: readonly (() => Promise<void>)[]
  readonly #clients: readonly pg.Client[]

  private constructor(clients: readonly pg.Client[]) {
    this.#clients = clients
    this.alone = clients.map((client) => async () => {
      await client.query({ name: 'count', text: 'select count(*) as n from wallets', rowMode: 'array' })
    })
  }

  static async connect({ shards }: Topology): Promise<RawClients> {
    const clients = shards.map(({ primary }) => new pg.Client(primary.url))
    await Promise.all(clients.map((client) => client.connect()))
    return new RawClients(clients)
  }

  readonly all = async (): Promise<void> => {
    await Promise.all(this.alone.map((count) => count()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.end()))
  }
}

async function slowest(calls: readonly (() => Promise<void>)[]): Promise<number> {
  const each: number[] = []
  for (const call of calls) each.push(await latency(call))
  return Math.max(...each)
}

async function latency(call: () => Promise<unknown>): Promise<number> {
  const durations: number[] = []
  for (let turn = 0; turn < callsPerRound; turn++) durations.push(await duration(call))
  return median(durations)
}
