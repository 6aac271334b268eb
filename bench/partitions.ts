// biome-ignore-all lint/suspicious/noThenProperty: `then` is the retention policy's own word; never a function.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Fleet, FleetConnection, FleetShard } from '@shardwright/core'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { definePartitions, type MaintainOptions, maintain, type PartitionPolicy } from '@shardwright/partition-manager'
import type { Bench, BenchResult } from './support/bench-result.ts'
import { median, percentile } from './support/median.ts'
import { Writers } from './support/writers.ts'

interface Database {
  transactions: { id: string; created_at: Date; stand_id: number; amount: string }
}

const define = definePartitions<Database>()
const monthly = (premake: number) =>
  define({ table: 'transactions', by: 'created_at', every: 'month', premake, fillGaps: false })
const retained = define({
  table: 'transactions',
  by: 'created_at',
  every: 'month',
  premake: 0,
  fillGaps: false,
  retention: { keep: '12 months', then: 'drop', maxDropsPerRun: 100 },
})

const table = `
  drop table if exists transactions;
  create table transactions (id bigint generated always as identity, created_at timestamptz not null, stand_id int not null,
    amount numeric(12,2) not null, primary key (id, created_at)) partition by range (created_at);
  create index transactions_stand_idx on transactions (stand_id, created_at);`

const month =
  "create table transactions_2020_01 partition of transactions for values from ('2020-01-01') to ('2020-03-01');"

const monthRows = 400_000
const fillMonth = `
  insert into transactions (created_at, stand_id, amount)
  select timestamptz '2020-01-01' + g * interval '10 seconds', g % 500, g % 90 from generate_series(0, ${monthRows - 1}) g`

/** Figures of the partition manager. */
export const bench: Bench = {
  name: 'partitions',
  async run(): Promise<BenchResult[]> {
    await using cluster = await startLocalCluster({ shards: 4, databasePerShard: true, startTimeoutMs: 120_000 })
    const results: BenchResult[] = []
    results.push(await dropAgainstDelete(cluster))
    results.push(await fourShardsAgainstOneByOne(cluster))
    results.push(...(await writesDuringMaintenance(cluster)))
    return results
  },
}

/** A month leaves: DELETE of its rows, and the same rows by detach and drop (plan, journal and catalog checks included). */
async function dropAgainstDelete(cluster: LocalCluster): Promise<BenchResult> {
  const fleet = oneShard(cluster)
  await using connection = await connect(fleet)
  const ratios: number[] = []
  for (let sample = 0; sample < 3; sample++) {
    await prepareMonth(connection)
    const deleting = await timed(() =>
      connection.script("delete from transactions where created_at >= '2020-01-01' and created_at < '2020-02-01'"),
    )
    await prepareMonth(connection)
    const dropping = await timed(() => done(fleet, [retained]))
    ratios.push(deleting / dropping)
  }
  return {
    name: `drop a month of ${monthRows} rows`,
    value: median(ratios),
    unit: 'times as fast',
    against: 'DELETE of the same rows',
    samples: ratios.length,
  }
}

async function prepareMonth(connection: FleetConnection): Promise<void> {
  await connection.script(`set timezone to 'UTC'; ${table}${month}${fillMonth}`)
  // The current month exists, so that the run only retires.
  const current = "date_trunc('month', now())"
  await connection.script(`do $$ begin execute format('create table transactions_now partition of transactions for values from (%L) to (%L)',
    ${current}, ${current} + interval '1 month'); end $$`)
  await connection.script('vacuum analyze transactions')
  await connection.script('checkpoint')
}

async function fourShardsAgainstOneByOne(cluster: LocalCluster): Promise<BenchResult> {
  const fleet = cluster.fleet()
  const ratios: number[] = []
  const run = async (options: MaintainOptions) => {
    for (const shard of fleet.shards) {
      await using connection = await connectTo(shard)
      await connection.script(table)
    }
    return await timed(() => done(fleet, [monthly(35)], options))
  }
  await run({ concurrency: 4 })
  for (let sample = 0; sample < 7; sample++) {
    const oneByOne = await run({ concurrency: 1 })
    const together = await run({ concurrency: 4 })
    ratios.push(oneByOne / together)
  }
  return {
    name: 'create 36 monthly partitions on 4 shards',
    value: median(ratios),
    unit: 'times as fast',
    against: 'the same shards one after the other',
    samples: ratios.length,
  }
}

const windowMs = 2000
const windows = 16

/**
 * Pairs of equal windows under a steady load of inserts: one at rest, one in which run follows run of the maintenance.
 * Which of the two comes first alternates. The load runs in a thread of its own, and then in this very event loop.
 */
async function writesDuringMaintenance(cluster: LocalCluster): Promise<BenchResult[]> {
  const url = cluster.shards[0]?.url ?? ''
  const apart = await latencies(cluster, () => new ThreadLoad(url))
  const inside = await latencies(cluster, () => new LoopLoad(url))
  return [resultOf('write latency p99 during maintenance', apart), resultOf('the same, load in its process', inside)]
}

interface Latencies {
  readonly rest: readonly number[]
  readonly busy: readonly number[]
  readonly actions: number
}

function resultOf(name: string, { rest, busy, actions }: Latencies): BenchResult {
  const against = `the same load at rest (${busy.length} writes, ${actions} partitions created or dropped and indexes built meanwhile)`
  return { name, value: percentile(busy, 0.99) / percentile(rest, 0.99), unit: 'times', against, samples: windows }
}

async function latencies(cluster: LocalCluster, start: () => Load): Promise<Latencies> {
  const fleet = oneShard(cluster)
  await using admin = await connect(fleet)
  await admin.script(`set timezone to 'UTC'; ${table}${oldMonths}`)
  await done(fleet, [monthly(0)])
  const load = start()
  const all = { rest: [] as number[], busy: [] as number[] }
  let actions = 0
  const rest = async () => void all.rest.push(...(await load.window(windowMs)))
  const busy = async () => {
    const work = maintainFor(fleet, windowMs)
    all.busy.push(...(await load.window(windowMs)))
    actions += await work
  }
  try {
    await load.window(windowMs)
    for (let at = 0; at < windows; at++) for (const part of at % 2 === 0 ? [rest, busy] : [busy, rest]) await part()
  } finally {
    await load.stop()
  }
  return { ...all, actions }
}

/** 60 months from 1990 on, for the runs to drop: a table of five years. */
const oldMonths = `do $$ begin for m in 0..59 loop
  execute format('create table transactions_old_%s partition of transactions for values from (%L) to (%L)', m,
    date '1990-01-01' + m * interval '1 month', date '1990-01-01' + (m + 1) * interval '1 month');
  end loop; end $$`

let round = 0

/** Run after run until the time is over. */
async function maintainFor(fleet: Fleet, ms: number): Promise<number> {
  const until = performance.now() + ms
  let actions = 0
  while (performance.now() < until) actions += await maintainOnce(fleet)
  return actions
}

/** One run: drops three partitions, creates one ahead and, in every tenth run, builds an index on each partition. */
async function maintainOnce(fleet: Fleet): Promise<number> {
  round++
  const policy = define({
    table: 'transactions',
    by: 'created_at',
    every: 'month',
    premake: round,
    fillGaps: false,
    retention: { keep: '12 months', then: 'drop', maxDropsPerRun: 1 },
    indexes: round % 10 === 0 ? [{ name: `transactions_round_${round}_idx`, columns: ['amount', 'id'] }] : [],
  })
  const report = await done(fleet, [policy])
  return report.tables.reduce((sum, each) => sum + each.actions.length, 0)
}

/** Writers that insert one row after the other. */
interface Load {
  /** The latencies of the next `ms`. */
  window(ms: number): Promise<number[]>
  stop(): Promise<void>
}

class ThreadLoad implements Load {
  readonly #worker: Worker

  constructor(url: string) {
    const workerData = { url, writers: 4, pauseMs: 2 }
    this.#worker = new Worker(new URL('./support/partitions-load.ts', import.meta.url), { workerData })
  }

  async window(ms: number): Promise<number[]> {
    await this.#take()
    await new Promise((resolve) => setTimeout(resolve, ms))
    return await this.#take()
  }

  async stop(): Promise<void> {
    this.#worker.postMessage('stop')
    await once(this.#worker, 'exit')
  }

  async #take(): Promise<number[]> {
    this.#worker.postMessage('window')
    const [latencies] = (await once(this.#worker, 'message')) as [number[]]
    return latencies
  }
}

class LoopLoad implements Load {
  readonly #writers: Writers

  constructor(url: string) {
    this.#writers = new Writers(url, 4, 2)
  }

  async window(ms: number): Promise<number[]> {
    this.#writers.take()
    await new Promise((resolve) => setTimeout(resolve, ms))
    return this.#writers.take()
  }

  async stop(): Promise<void> {
    await this.#writers.stop()
  }
}

function oneShard(cluster: LocalCluster): Fleet {
  const fleet = cluster.fleet()
  return { topologyId: fleet.topologyId, shards: fleet.shards.slice(0, 1) }
}

async function connect(fleet: Fleet): Promise<FleetConnection> {
  const [shard] = fleet.shards
  if (!shard) throw new Error('no shard')
  return await connectTo(shard)
}

async function connectTo(shard: FleetShard): Promise<FleetConnection> {
  const connection = await shard.connect()
  // The cluster's role is called like the schema of Shardwright's own tables, which "$user" would find first.
  await connection.script('set search_path to public')
  return connection
}

async function done(fleet: Fleet, policies: readonly PartitionPolicy[], options: MaintainOptions = {}) {
  const report = await maintain(fleet, policies, options)
  const failed = report.tables.find((each) => each.outcome !== 'done')
  if (failed) throw new Error(`the run on ${failed.shard} ended as ${failed.outcome}: ${failed.failure?.message}`)
  return report
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}
