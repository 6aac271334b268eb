import { type ChildProcess, fork } from 'node:child_process'
import { parseArgs } from 'node:util'
import { installOutbox, removeOutbox } from '@shardwright/cache'
import { createFleet } from '@shardwright/core'
import { type LocalCluster, type LocalRedis, startLocalCluster } from '@shardwright/local-cluster'
import pg from 'pg'
import { createWallets } from '../../packages/cache/test/repository.ts'
import { type Disturbance, judge, type Verdict } from './cache/ledger.ts'
import {
  type LedgerEvent,
  nowMs,
  type WorkerMessage,
  type WorkerPlan,
  type WorkerStatistics,
  walletId,
} from './cache/messages.ts'
import { randomOf } from './cache/random.ts'

/*
 * Readers and writers in several processes against one database and one Redis that is flushed, killed, frozen and
 * restarted, while processes are killed and stopped. A ledger on one clock judges every read.
 */

export interface CacheFaultOptions {
  readonly seed: number
  /** Processes at a time. Default 3. */
  readonly processes?: number
  /** How often all faults come. Default 1. */
  readonly rounds?: number
  /** Instead of rounds: as many as begin within these minutes. */
  readonly minutes?: number
  /** How many of the faults a round has. Default: all. */
  readonly faults?: number
  readonly print?: (line: string) => void
}

const walletCount = 12
const pollMs = 200
/** A write past the library is seen at the latest after a poll, its delivery, and what a busy machine adds. */
const externalBoundMs = pollMs * 2 + 1_500
/** While Redis is disturbed and shortly after: docs/protocol.md, "Bounds". */
const disturbedBoundMs = 3_500
const settleMs = 3_000

interface Scene {
  readonly cluster: LocalCluster
  readonly redis: LocalRedis
  readonly namespace: string
  readonly seed: number
  readonly leases: boolean
  readonly outbox: boolean
  readonly events: LedgerEvent[]
  readonly disturbances: Disturbance[]
  readonly workers: Map<number, ChildProcess>
  readonly failures: string[]
  readonly print: (line: string) => void
}

/** Runs the suite; true when no violation was found with leases, and some without. */
export async function run(options: CacheFaultOptions): Promise<boolean> {
  const { seed, processes = 3, faults = Number.POSITIVE_INFINITY } = options
  const print = options.print ?? ((line: string) => console.log(line))
  print(`cache faults, seed ${seed}, ${processes} processes`)
  await using cluster = await startLocalCluster({ shards: 1, databasePerShard: true, redis: true })
  await prepare(cluster)
  const common = { cluster, redis: cluster.redis!, print }
  let holds = true
  for (let round = 0; round === 0 || wantsAnother(options, round); round++) {
    const strict = { ...common, seed: seed + round, namespace: `strict-${round}`, leases: true, outbox: true }
    const { verdict, settled, failures } = await withOutbox(strict, () => play(strict, processes, faults))
    holds &&= verdict.violations.length === 0 && verdict.poisoned === 0 && settled && failures === 0
  }
  const loose = { ...common, seed, namespace: 'loose', leases: false, outbox: false }
  const blind = (await play(loose, processes, 0)).verdict.violations.length === 0
  print(`with leases: ${holds ? 'holds' : 'BROKEN'}`)
  print(`without: ${blind ? 'NOTHING FOUND, the suite is blind' : 'violations are found, as they must be'}`)
  return holds && !blind
}

const startedMs = nowMs()

function wantsAnother(options: CacheFaultOptions, round: number): boolean {
  if (options.minutes !== undefined) return nowMs() - startedMs < options.minutes * 60_000
  return round < (options.rounds ?? 1)
}

type Part = Omit<Scene, 'events' | 'disturbances' | 'workers' | 'failures'>

async function withOutbox<T>(part: Part, work: () => Promise<T>): Promise<T> {
  const fleet = createFleet({ shards: [{ id: 'shard-1', url: part.cluster.shards[0]!.url }], Client: pg.Client })
  const tables = [{ table: 'wallets', id: ['festival_id', 'id'], key: 'festival_id' }]
  await installOutbox(fleet, { namespace: part.namespace, tables })
  try {
    return await work()
  } finally {
    await removeOutbox(fleet, { namespace: part.namespace, tables })
  }
}

async function play(part: Part, processes: number, faults: number) {
  const scene: Scene = { ...part, events: [], disturbances: [], workers: new Map(), failures: [] }
  for (let index = 0; index < processes; index++) await startWorker(scene, index)
  const random = randomOf(scene.seed)
  await pause(3_000)
  if (faults > 0) await disturb(scene, random, faults)
  await pause(1_500)
  const finals = await finish(scene)
  const truth = await currentVersions(scene.cluster.shards[0]!.url)
  const settled = finals.every((final) => final.versions.every((version, wallet) => version === truth[wallet]))
  const verdict = judge(scene.events, {
    externalMs: externalBoundMs,
    disturbedMs: disturbedBoundMs,
    disturbances: scene.disturbances,
  })
  report(scene, verdict, settled, finals)
  return { verdict, settled, failures: scene.failures.length }
}

/** One of each fault, in an order that the seed decides. */
async function disturb(scene: Scene, random: () => number, count: number): Promise<void> {
  const faults: readonly (readonly [string, () => Promise<void>])[] = [
    ['Redis flushed, five times', () => flushes(scene)],
    ['a process stopped for 3.5 s', () => stopProcess(scene, random)],
    ['a process killed and started again', () => killProcess(scene, random)],
    ['Redis killed and restarted', () => withRedisDisturbed(scene, () => restartRedis(scene))],
    ['Redis frozen for 4 s', () => withRedisDisturbed(scene, () => freezeRedis(scene, 4_000))],
    ['Redis frozen for 0.4 s', () => withRedisDisturbed(scene, () => freezeRedis(scene, 400))],
  ]
  const order = faults.map((fault) => ({ fault, place: random() })).sort((a, b) => a.place - b.place)
  for (const { fault } of order.slice(0, count)) {
    const [name, apply] = fault
    scene.print(`  ${name}`)
    await apply()
    await pause(1_000)
  }
}

async function flushes(scene: Scene): Promise<void> {
  for (let time = 0; time < 5; time++) {
    await scene.redis.flush()
    await pause(200)
  }
}

async function stopProcess(scene: Scene, random: () => number): Promise<void> {
  const worker = pick(scene, random)
  worker.kill('SIGSTOP')
  await pause(3_500)
  worker.kill('SIGCONT')
}

async function killProcess(scene: Scene, random: () => number): Promise<void> {
  const worker = pick(scene, random)
  const index = [...scene.workers].find(([, one]) => one === worker)![0]
  const ended = new Promise((resolve) => worker.once('exit', resolve))
  worker.kill('SIGKILL')
  await ended
  await startWorker(scene, index)
}

async function restartRedis(scene: Scene): Promise<void> {
  await scene.redis.kill()
  await pause(1_500)
  await scene.redis.restart()
}

async function freezeRedis(scene: Scene, ms: number): Promise<void> {
  await scene.redis.pause()
  await pause(ms)
  await scene.redis.resume()
}

async function withRedisDisturbed(scene: Scene, work: () => Promise<void>): Promise<void> {
  const from = nowMs()
  await work()
  scene.disturbances.push({ from, to: nowMs() + settleMs })
  await pause(settleMs)
}

function pick(scene: Scene, random: () => number): ChildProcess {
  const all = [...scene.workers.values()]
  return all[Math.floor(random() * all.length)]!
}

const strategies = ['read-through', 'write-through', 'cache-aside'] as const

async function startWorker(scene: Scene, index: number): Promise<void> {
  const plan: WorkerPlan = {
    seed: scene.seed,
    index,
    databaseUrl: scene.cluster.shards[0]!.url,
    redisUrl: scene.redis.url,
    namespace: scene.namespace,
    wallets: walletCount,
    leases: scene.leases,
    outbox: scene.outbox,
    pollMs,
    strategy: strategies[index % strategies.length]!,
  }
  const worker = fork(new URL('./cache/worker.ts', import.meta.url), [JSON.stringify(plan)], {
    execArgv: ['--conditions=shardwright-source'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  scene.workers.set(index, worker)
  await new Promise<void>((resolve, reject) => {
    worker.on('message', (message: WorkerMessage) => {
      if (message.type === 'events') scene.events.push(...message.events)
      if (message.type === 'failure') {
        scene.failures.push(message.text)
        scene.print(`  a worker failed: ${message.text}`)
      }
      if (message.type === 'ready') resolve()
    })
    worker.once('exit', () => reject(new Error('a worker ended before it was ready')))
  })
}

type Final = Extract<WorkerMessage, { type: 'final' }>

async function finish(scene: Scene): Promise<Final[]> {
  return await Promise.all(
    [...scene.workers.values()].map(async (worker) => {
      const final = new Promise<Final>((resolve, reject) => {
        worker.on('message', (message: WorkerMessage) => message.type === 'final' && resolve(message))
        worker.once('exit', () => reject(new Error('a worker ended before it was done')))
      })
      worker.send('finish')
      const result = await final
      const ended = new Promise((resolve) => worker.once('exit', resolve))
      worker.send('exit')
      await ended
      return result
    }),
  )
}

async function prepare(cluster: LocalCluster): Promise<void> {
  const { url } = cluster.shards[0]!
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(createWallets)
  for (let wallet = 0; wallet < walletCount; wallet++) {
    const { festival_id, id } = walletId(wallet)
    await client.query('insert into wallets values ($1, $2, 10, 1)', [festival_id, id])
  }
  await client.end()
}

async function currentVersions(url: string): Promise<number[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query<{ version: number }>('select version from wallets order by id')
  await client.end()
  return rows.map((row) => row.version)
}

function report(scene: Scene, verdict: Verdict, settled: boolean, finals: readonly Final[]): void {
  const { print } = scene
  print(`${scene.leases ? 'with' : 'without'} leases, outbox ${scene.outbox ? 'on' : 'off'}:`)
  print(
    `  reads ${verdict.reads}, acknowledged writes ${verdict.writes}, of them past the library ${verdict.externalWrites}`,
  )
  print(`  violations ${verdict.violations.length}, values of rolled back transactions ${verdict.poisoned}`)
  print(
    `  largest staleness of a write through the library ${verdict.largestStaleMs.toFixed(1)} ms (0 with Redis up, at most ${disturbedBoundMs} ms around a disturbance)`,
  )
  print(`  at rest every process reads what the database holds: ${settled ? 'yes' : 'NO'}`)
  for (const final of finals) print(`  ${describe(final.statistics)}`)
  for (const violation of verdict.violations.slice(0, 5)) print(`  e.g. ${JSON.stringify(violation)}`)
}

function describe(statistics: Readonly<Record<string, WorkerStatistics>>): string {
  return Object.entries(statistics)
    .filter(([name]) => !name.startsWith('@'))
    .map(
      ([name, one]) =>
        `${name}: hit ratio ${one.hitRatio.toFixed(2)}, loads ${one.loads}, refused fills ${one.refusedFills}`,
    )
    .join('; ')
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { seed: { type: 'string', default: '1' }, rounds: { type: 'string', default: '1' } },
  })
  process.exitCode = (await run({ seed: Number(values.seed), rounds: Number(values.rounds) })) ? 0 : 1
}
