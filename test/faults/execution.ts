import { startLocalCluster } from '@shardwright/local-cluster'
import { randomOf } from './cache/random.ts'
import { checkLedger } from './execution/check-ledger.ts'
import { type DisturbanceKind, disturb, disturbanceKinds, pause } from './execution/disturbance.ts'
import { Load } from './execution/load.ts'
import {
  accountsOf,
  createTables,
  openRouter,
  readStored,
  sessionsOn,
  topologyOf,
  withClient,
} from './execution/store.ts'
import { WriteLedger } from './execution/write-ledger.ts'

/*
 * Writers on every shard while servers and replicas are killed, frozen, restarted and promoted. A ledger of what each
 * caller was told is held against what is stored at the end.
 */

export interface ExecutionFaultOptions {
  readonly seed: number
  /** Default: one disturbance of each kind. */
  readonly minutes?: number
  /** Ends with a failover of the first shard. Default: true. */
  readonly promote?: boolean
  /** Default: 2. */
  readonly shards?: number
  /** Spoils the stored data before it is checked, to see that the checker notices. */
  readonly inject?: 'lost write' | 'doubled write'
  readonly print?: (line: string) => void
}

export interface ExecutionFaultReport {
  readonly acknowledged: number
  readonly unsure: number
  readonly refused: number
  /** Acknowledged writes per second of undisturbed shards while a neighbour was, against before. */
  readonly neighbours: number
  readonly problems: readonly string[]
}

/** Runs the suite; the report's `problems` is empty when every promise was kept. */
export async function runExecutionFaults(options: ExecutionFaultOptions): Promise<ExecutionFaultReport> {
  const print = options.print ?? (() => {})
  const random = randomOf(options.seed)
  await using cluster = await startLocalCluster({
    shards: options.shards ?? 2,
    replicasPerShard: 1,
    startTimeoutMs: 120_000,
  })
  const topology = topologyOf(cluster)
  const accounts = accountsOf(topology, 5)
  await createTables(topology, accounts)
  const ledger = new WriteLedger()
  const router = openRouter(topology)
  await router.ready()
  const loads = topology.shards.map(({ id }) => new Load(router, ledger, id, accounts.get(id)!))
  for (const load of loads) load.start(3)

  const ids = topology.shards.map((shard) => shard.id)
  const rates: { before: number; during: number }[] = []
  for (const kind of kindsOf(options, random)) {
    const victim = ids[Math.floor(random() * ids.length)]!
    const others = ids.filter((id) => id !== victim)
    const before = await rateOf(ledger, others, () => pause(400))
    const during = await rateOf(ledger, others, () => disturb(cluster, victim, kind, 300 + random() * 700))
    rates.push({ before, during })
    print(`${kind} of ${victim}: neighbours at ${Math.round((during / before) * 100)} %`)
    await recovered(ledger, victim)
  }
  if (options.promote !== false) {
    await disturb(cluster, ids[0]!, 'promote', 0)
    await recovered(ledger, ids[0]!)
    print(`promotion in ${ids[0]}`)
  }
  await Promise.all(loads.map((load) => load.stop()))
  await router.close()

  const primaries = cluster.shards.map((shard) => ({
    id: shard.id,
    url: options.promote !== false && shard.id === ids[0] ? shard.replicas[0]!.url : shard.url,
  }))
  if (options.inject !== undefined) await inject(primaries[0]!.url, options.inject)
  const stored = await Promise.all(primaries.map(({ id, url }) => readStored(id, url)))
  const problems = [
    ...checkLedger(ledger.entries, stored),
    ...ledger.backward.map((id) => `${id} was not seen under its token`),
  ]
  for (const { id, url } of primaries) {
    const left = await leftSessions(url)
    if (left > 0) problems.push(`${id}: ${left} sessions are left after close()`)
  }
  return { ...countOf(ledger), neighbours: ratioOf(rates), problems }
}

function kindsOf({ minutes }: ExecutionFaultOptions, random: () => number): Iterable<DisturbanceKind> {
  return minutes === undefined ? disturbanceKinds : randomKinds(minutes, random)
}

function* randomKinds(minutes: number, random: () => number): Generator<DisturbanceKind> {
  const until = performance.now() + minutes * 60_000
  while (performance.now() < until) yield disturbanceKinds[Math.floor(random() * disturbanceKinds.length)]!
}

async function rateOf(ledger: WriteLedger, shards: readonly string[], work: () => Promise<void>): Promise<number> {
  const count = () => shards.reduce((sum, shard) => sum + ledger.acknowledgedOn(shard), 0)
  const [start, first] = [performance.now(), count()]
  await work()
  return ((count() - first) / (performance.now() - start)) * 1_000
}

// Healed is who takes writes again.
async function recovered(ledger: WriteLedger, shard: string): Promise<void> {
  const from = ledger.acknowledgedOn(shard)
  for (let waited = 0; ledger.acknowledgedOn(shard) < from + 5; waited += 50) {
    if (waited > 60_000) throw new Error(`${shard} takes no writes a minute after it was healed`)
    await pause(50)
  }
}

async function inject(url: string, what: 'lost write' | 'doubled write'): Promise<void> {
  const one = 'select ctid from entries limit 1'
  await withClient(url, (client) =>
    client.query(
      what === 'lost write'
        ? `delete from entries where ctid = (${one})`
        : `insert into entries select account, id from entries where ctid = (${one})`,
    ),
  )
}

// The server may still be busy ending a session whose client has gone.
async function leftSessions(url: string): Promise<number> {
  for (let attempt = 0; ; attempt++) {
    const left = await sessionsOn(url)
    if (left === 0 || attempt === 40) return left
    await pause(100)
  }
}

function countOf(ledger: WriteLedger): { acknowledged: number; unsure: number; refused: number } {
  const count = (outcome: string) => ledger.entries.filter((entry) => entry.outcome === outcome).length
  return { acknowledged: count('acknowledged'), unsure: count('unsure'), refused: count('refused') }
}

function ratioOf(rates: readonly { before: number; during: number }[]): number {
  const sum = (pick: (rate: { before: number; during: number }) => number) =>
    rates.reduce((total, rate) => total + pick(rate), 0)
  return (
    sum((rate) => rate.during) /
    Math.max(
      1,
      sum((rate) => rate.before),
    )
  )
}

/** Runs the suite for `npm run test:faults`; true when every promise was kept. */
export async function run(options: ExecutionFaultOptions): Promise<boolean> {
  const print = options.print ?? ((line: string) => console.log(line))
  print(`execution faults, seed ${options.seed}, ${options.minutes ?? 'one of each kind,'} minutes`)
  const { problems, neighbours, ...counts } = await runExecutionFaults({ ...options, print })
  print(`${JSON.stringify(counts)}, neighbours kept ${Math.round(neighbours * 100)} % of their throughput`)
  for (const problem of problems) print(`PROBLEM ${problem}`)
  if (neighbours < leastNeighbours) print(`PROBLEM neighbours kept less than ${leastNeighbours * 100} %`)
  return problems.length === 0 && neighbours >= leastNeighbours
}

const leastNeighbours = 0.9
