import { startLocalCluster } from '@shardwright/local-cluster'
import { randomOf } from './cache/random.ts'
import { checkLedger } from './execution/check-ledger.ts'
import { type DisturbanceKind, disturb, disturbanceKinds, frontKinds, pause } from './execution/disturbance.ts'
import { Fronts } from './execution/fronts.ts'
import { Load } from './execution/load.ts'
import { Neighbours, type NeighbourWindow, shareKept } from './execution/neighbours.ts'
import { accountsOf, createTables, openRouter, readStored, sessionsOn, withClient } from './execution/store.ts'
import { WriteLedger } from './execution/write-ledger.ts'

/*
 * Writers on every shard while servers, replicas and what stands in front of them are killed, frozen, restarted and
 * promoted. A ledger of what each caller was told is held against what is stored at the end.
 */

export interface ExecutionFaultOptions {
  readonly seed: number
  /** Default: one disturbance of each kind. */
  readonly minutes?: number
  /** Ends with a failover of the first shard. Default: true. */
  readonly promote?: boolean
  /** Default: 3, so that PgBouncer stands before the second and HAProxy before the third. */
  readonly shards?: number
  /** Spoils the stored data before it is checked, to see that the checker notices. */
  readonly inject?: 'lost write' | 'doubled write'
  readonly print?: (line: string) => void
}

export interface ExecutionFaultReport {
  readonly acknowledged: number
  readonly unsure: number
  readonly refused: number
  /** The share of their throughput that undisturbed shards kept while a neighbour was disturbed. */
  readonly neighbours: number
  readonly problems: readonly string[]
}

/** Runs the suite; the report's `problems` is empty when every promise was kept. */
export async function runExecutionFaults(options: ExecutionFaultOptions): Promise<ExecutionFaultReport> {
  const print = options.print ?? (() => {})
  const random = randomOf(options.seed)
  await using cluster = await startLocalCluster({
    shards: options.shards ?? 3,
    replicasPerShard: 1,
    startTimeoutMs: 120_000,
  })
  await using fronts = await Fronts.start(cluster)
  const topology = fronts.topology(cluster)
  print(`fronts before: ${fronts.shards.join(', ') || 'none'}`)
  const accounts = accountsOf(topology, 5)
  await createTables(topology, accounts)
  const ledger = new WriteLedger()
  const router = openRouter(topology)
  await router.ready()
  const loads = topology.shards.map(({ id }) => new Load(router, ledger, id, accounts.get(id)!))
  for (const load of loads) load.start(3)

  const ids = topology.shards.map((shard) => shard.id)
  const windows: NeighbourWindow[] = []
  const troubles: string[] = []
  for (const kind of kindsOf(options, fronts, random)) {
    const candidates = kind.endsWith('front') ? fronts.shards : ids
    const victim = candidates[Math.floor(random() * candidates.length)]!
    const neighbours = new Neighbours(
      ledger,
      ids.filter((id) => id !== victim),
    )
    const failedBefore = neighbours.failed
    const window = await neighbours.watch(
      () => disturb(cluster, fronts, victim, kind, 300 + random() * 700),
      () => recovered(ledger, victim),
    )
    windows.push(window)
    const failed = neighbours.failed - failedBefore
    if (failed > 0) troubles.push(`${kind} of ${victim}: ${failed} writes of its neighbours failed`)
    print(`${kind} of ${victim}: neighbours at ${Math.round((window.during / window.around) * 100)} %`)
  }
  if (options.promote !== false) {
    await disturb(cluster, fronts, ids[0]!, 'promote', 0)
    await recovered(ledger, ids[0]!)
    print(`promotion in ${ids[0]}`)
  }
  await Promise.all(loads.map((load) => load.stop()))
  await router.close()
  // A pooler keeps sessions of its own on the server.
  await fronts[Symbol.asyncDispose]()

  const primaries = cluster.shards.map((shard) => ({
    id: shard.id,
    url: options.promote !== false && shard.id === ids[0] ? shard.replicas[0]!.url : shard.url,
  }))
  if (options.inject !== undefined) await inject(primaries[0]!.url, options.inject)
  const stored = await Promise.all(primaries.map(({ id, url }) => readStored(id, url)))
  const problems = [
    ...troubles,
    ...checkLedger(ledger.entries, stored),
    ...ledger.backward.map((id) => `${id} was not seen under its token`),
  ]
  for (const { id, url } of primaries) {
    const left = await leftSessions(url)
    if (left > 0) problems.push(`${id}: ${left} sessions are left after close()`)
  }
  return { ...countOf(ledger), neighbours: shareKept(windows), problems }
}

function kindsOf({ minutes }: ExecutionFaultOptions, fronts: Fronts, random: () => number): Iterable<DisturbanceKind> {
  const kinds = fronts.shards.length === 0 ? disturbanceKinds : [...disturbanceKinds, ...frontKinds]
  return minutes === undefined ? kinds : randomKinds(kinds, minutes, random)
}

function* randomKinds(
  kinds: readonly DisturbanceKind[],
  minutes: number,
  random: () => number,
): Generator<DisturbanceKind> {
  const until = performance.now() + minutes * 60_000
  while (performance.now() < until) yield kinds[Math.floor(random() * kinds.length)]!
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
