import { type Topology, type TopologyInput, topologyInputOf } from '@shardwright/core'
import { startLocalCluster } from '@shardwright/local-cluster'
import { checkLedger } from './execution/check-ledger.ts'
import { Company } from './execution/company.ts'
import { type Disturbed, disturb, pause } from './execution/disturbance.ts'
import { Fronts } from './execution/fronts.ts'
import { Load } from './execution/load.ts'
import { Neighbours, type NeighbourWindow, shareKept } from './execution/neighbours.ts'
import { Pairs } from './execution/pairs.ts'
import { Remains } from './execution/remains.ts'
import { schedule } from './execution/schedule.ts'
import { accountsOf, createTables, openRouter, readStored, withClient } from './execution/store.ts'
import { WriteLedger } from './execution/write-ledger.ts'

/*
 * Writers on every shard, and other statements beside them, while servers, replicas and what stands in front of them are
 * killed, frozen, restarted and promoted, and topologies are replaced. A ledger of what each caller was told is held
 * against what is stored at the end.
 */

export type Injection = 'lost write' | 'doubled write' | 'stale read' | 'open router' | 'left listener'

export interface ExecutionFaultOptions {
  readonly seed: number
  /** Default: one disturbance of each kind. */
  readonly minutes?: number
  /** Default: 3, so that PgBouncer stands before the second and HAProxy before the third. */
  readonly shards?: number
  /** Breaks promises, to see that the suite notices. */
  readonly inject?: readonly Injection[]
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
  const { inject = [], print = () => {} } = options
  await using cluster = await startLocalCluster({
    shards: options.shards ?? 3,
    replicasPerShard: 1,
    startTimeoutMs: 120_000,
  })
  await using fronts = await Fronts.start(cluster)
  const first = fronts.topology(cluster)
  print(`fronts before: ${fronts.shards.join(', ') || 'none'}`)
  const accounts = accountsOf(first, 5)
  await createTables(first, accounts)
  const pairs = new Pairs(cluster)
  const callers = new AbortController()
  using remains = new Remains(pairs, callers.signal)
  const ledger = new WriteLedger()
  const router = openRouter(first)
  await router.ready()
  if (inject.includes('stale read')) await pauseReplay(pairs.of(first.shards[0]!.id).standby.url)
  const loadOptions = { signal: callers.signal, forgetTokens: inject.includes('stale read') }
  const loads = first.shards.map(({ id }) => new Load(router, ledger, id, accounts.get(id)!, loadOptions))
  for (const load of loads) load.start(4)
  const company = new Company(router, callers.signal)
  company.start()

  const replace = (shards: TopologyInput['shards']) => {
    return router.replaceTopology({ ...topologyInputOf(first), epoch: router.topology.epoch + 1, shards })
  }
  const { shards } = topologyInputOf(first)
  const disturbed: Disturbed = {
    pairs,
    fronts,
    withoutReplica: (id) => {
      const { primary } = pairs.of(id)
      const moved = primary === cluster.shard(id) ? {} : { primary: primary.url }
      return replace(shards.map((shard) => (shard.id === id ? { ...shard, ...moved, replicas: [] } : shard)))
    },
    withReplica: () => replace(shards),
  }
  const ids = first.shards.map((shard) => shard.id)
  const windows: NeighbourWindow[] = []
  const problems: string[] = []
  const { seed, minutes } = options
  for (const { kind, victim, forMs } of schedule({ seed, minutes, shards: ids, fronts: fronts.shards })) {
    const neighbours = new Neighbours(
      ledger,
      ids.filter((id) => id !== victim),
    )
    const failedBefore = neighbours.failed
    const window = await neighbours.watch(
      () => disturb(disturbed, victim, kind, forMs),
      () => recovered(ledger, victim),
    )
    windows.push(window)
    const failed = neighbours.failed - failedBefore
    if (failed > 0) {
      const reasons = ids.filter((id) => id !== victim).map((id) => `${id}: ${ledger.lastFailureOn(id)}`)
      problems.push(`${kind} of ${victim}: ${failed} writes of its neighbours failed (last on ${reasons.join('; ')})`)
    }
    print(
      `${kind} of ${victim} (${Math.round(forMs)} ms): neighbours at ${Math.round((window.during / window.around) * 100)} %`,
    )
  }
  await pause(inject.length === 0 ? 0 : 500)
  await Promise.all([company.stop(), ...loads.map((load) => load.stop())])
  await router.close()
  await using broken = await breakPromises(inject, pairs.of(ids[0]!).primary.url, first, callers.signal)
  // A pooler keeps sessions of its own on the server.
  if (broken.router === undefined) await fronts[Symbol.asyncDispose]()

  const stored = await Promise.all(ids.map((id) => readStored(id, pairs.of(id).primary.url)))
  problems.push(
    ...checkLedger(ledger.entries, stored),
    ...ledger.backward.map((id) => `${id} was not seen under its token`),
    ...(await remains.problems()),
  )
  return { ...countOf(ledger), neighbours: shareKept(windows), problems }
}

// Healed is who takes writes again.
async function recovered(ledger: WriteLedger, shard: string): Promise<void> {
  const from = ledger.acknowledgedOn(shard)
  for (let waited = 0; ledger.acknowledgedOn(shard) < from + 5; waited += 50) {
    if (waited > 60_000) throw new Error(`${shard} takes no writes a minute after it was healed`)
    await pause(50)
  }
}

async function pauseReplay(url: string): Promise<void> {
  await withClient(url, (client) => client.query('select pg_wal_replay_pause()'))
}

interface Broken extends AsyncDisposable {
  readonly router: ReturnType<typeof openRouter> | undefined
}

/** What the suite must find. */
async function breakPromises(
  injections: readonly Injection[],
  url: string,
  topology: Topology,
  signal: AbortSignal,
): Promise<Broken> {
  const broken = new Set(injections)
  const one = 'select ctid from entries limit 1'
  await withClient(url, async (client) => {
    if (broken.has('lost write')) await client.query(`delete from entries where ctid = (${one})`)
    const again = `insert into entries select account, id from entries where ctid = (${one})`
    if (broken.has('doubled write')) await client.query(again)
  })
  if (broken.has('left listener')) signal.addEventListener('abort', () => {})
  const router = broken.has('open router') ? openRouter(topology) : undefined
  await router?.fanOut().selectFrom('accounts').selectAll().execute()
  return { router, [Symbol.asyncDispose]: async () => await router?.close() }
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
