import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createFleet, fleetWorkerLeases, IdGenerator, idLayout, ManualClock, readId } from '@shardwright/core'
import { startLocalCluster } from '@shardwright/local-cluster'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const processes = 4
const perProcess = 300_000

interface Report {
  readonly worker: number
  readonly startMs: number
  readonly endMs: number
}

describe('ids over processes', () => {
  let cluster: Awaited<ReturnType<typeof startLocalCluster>>
  let folder: string
  let url: string

  beforeAll(async () => {
    cluster = await startLocalCluster({ shards: 1, databasePerShard: true })
    folder = await mkdtemp(join(tmpdir(), 'shardwright-ids-'))
    url = cluster.shards[0]!.url
  })
  afterAll(async () => {
    await cluster?.stop()
    if (folder) await rm(folder, { recursive: true, force: true })
  })

  const fleet = () => createFleet({ shards: [{ id: 'shard-1', url }], Client: pg.Client })

  it(`${processes} processes at once make ${processes * perProcess} ids and no id twice`, async () => {
    const children = Array.from({ length: processes }, (_, n) => startMaker(url, join(folder, `ids-${n}`)))
    await Promise.all(children.map(({ child }) => message(child)))
    // All hold their numbers: now they start together.
    const reports = Promise.all(children.map(({ child }) => message(child) as Promise<Report>))
    for (const { child } of children) child.send('go')
    const done = await reports
    expect(new Set(done.map(({ worker }) => worker)).size).toBe(processes)
    const all = await readIds(children.map(({ file }) => file))
    expect(countRepeated(all)).toBe(0)
    // From the first id of any to the last id of any: what they made together, not the sum of what each did alone.
    const ms = Math.max(...done.map(({ endMs }) => endMs)) - Math.min(...done.map(({ startMs }) => startMs))
    const perSecond = ((processes * perProcess) / ms) * 1000
    console.log(`ids: ${processes} processes made ${(perSecond / 1e6).toFixed(1)} million ids a second together`)
  })

  it('ids of one bucket only grow, and each says its bucket', async () => {
    const layout = idLayout({ buckets: 16 })
    await using lease = await fleetWorkerLeases({ fleet: fleet(), layout }).acquire()
    const ids = new IdGenerator({ layout, lease })
    const last = new Map<number, bigint>()
    for (let i = 0; i < 20_000; i++) {
      const bucket = i % 16
      const id = ids.next(bucket)
      expect(readId(layout, String(id)).bucket).toBe(bucket)
      expect(id > (last.get(bucket) ?? 0n)).toBe(true)
      last.set(bucket, id)
    }
  })

  it('gives each worker number once, refuses when none is left, and gives a returned one again', async () => {
    const layout = idLayout({ buckets: 1024, workerBits: 2 })
    const database = await cluster.shards[0]!.createDatabase('few_workers')
    const few = createFleet({ shards: [{ id: 'shard-1', url: database }], Client: pg.Client })
    const workers = fleetWorkerLeases({ fleet: few, layout })
    const leases = await Promise.all([1, 2, 3, 4].map(() => workers.acquire()))
    expect(leases.map(({ worker }) => worker).sort()).toEqual([0, 1, 2, 3])
    await expect(workers.acquire()).rejects.toMatchObject({ code: 'WORKERS_EXHAUSTED' })
    const ids = new IdGenerator({ layout, lease: leases[2]! })
    const before = ids.next(0)
    await leases[2]!.release()
    expect(() => ids.next(0)).toThrow(expect.objectContaining({ code: 'WORKER_LEASE_LOST' }))
    const again = await workers.acquire()
    expect(again.worker).toBe(leases[2]!.worker)
    expect(new IdGenerator({ layout, lease: again }).next(0) > before).toBe(true)
    await Promise.all([...leases, again].map((lease) => lease.release()))
  })

  it('a holder that slept past its lease makes no id that its successor can make', async () => {
    const layout = idLayout({ buckets: 1, workerBits: 0 })
    const database = await cluster.shards[0]!.createDatabase('sleeper')
    const one = createFleet({ shards: [{ id: 'shard-1', url: database }], Client: pg.Client })
    const clock = new ManualClock(Date.now())
    const options = { fleet: one, layout, leaseMs: 1000, clock }
    const sleeper = await fleetWorkerLeases(options).acquire()
    const old = new IdGenerator({ layout, lease: sleeper, clock })
    const made = [old.next(0)]
    // Its renewals wait for a clock that stands still; the server's time goes on.
    let successor = await fleetWorkerLeases(options)
      .acquire()
      .catch(() => undefined)
    for (let i = 0; i < 100 && !successor; i++) {
      await new Promise((resolve) => setTimeout(resolve, 100))
      successor = await fleetWorkerLeases(options)
        .acquire()
        .catch(() => undefined)
    }
    expect(successor?.worker).toBe(sleeper.worker)
    const fresh = new IdGenerator({ layout, lease: successor!, clock })
    // Both go on at the same moments: their spans of time never meet.
    const makers = [fresh, old]
    for (let i = 0; i < 3000; i++) {
      for (const maker of makers) {
        try {
          made.push(maker.next(0))
        } catch (error) {
          expect(error).toMatchObject({ code: 'WORKER_LEASE_LOST' })
        }
      }
      clock.set(clock.now() + 1)
    }
    expect(new Set(made).size).toBe(made.length)
    expect(made.length).toBeGreaterThan(1500)
    expect(() => old.next(0)).toThrow(expect.objectContaining({ code: 'WORKER_LEASE_LOST' }))
    await clock.advance(400)
    await expect.poll(() => sleeper.lost).toBe(true)
    await Promise.all([sleeper.release(), successor!.release()])
  })

  it('renews while the process lives', async () => {
    const layout = idLayout({ buckets: 1, workerBits: 0 })
    const database = await cluster.shards[0]!.createDatabase('renewed')
    const one = createFleet({ shards: [{ id: 'shard-1', url: database }], Client: pg.Client })
    await using lease = await fleetWorkerLeases({ fleet: one, layout, leaseMs: 1000 }).acquire()
    const first = lease.untilMs
    await expect.poll(() => lease.untilMs, { timeout: 20_000 }).toBeGreaterThan(first + 1000)
    expect(lease.lost).toBe(false)
  })
})

function startMaker(url: string, file: string): { child: ChildProcess; file: string } {
  const script = join(import.meta.dirname, 'id-maker.ts')
  const argument = JSON.stringify({ url, file, count: perProcess })
  const child = fork(script, [argument], { execArgv: ['--conditions=shardwright-source'], serialization: 'json' })
  return { child, file }
}

async function message(child: ChildProcess): Promise<unknown> {
  const exit = once(child, 'exit').then(([code]) => {
    throw new Error(`The maker ended early with ${code}`)
  })
  exit.catch(() => {})
  const [value] = (await Promise.race([once(child, 'message'), exit])) as unknown[]
  return value
}

async function readIds(files: readonly string[]): Promise<BigUint64Array> {
  const parts = await Promise.all(files.map((file) => readFile(file)))
  const all = new BigUint64Array(parts.reduce((sum, part) => sum + part.length / 8, 0))
  let at = 0
  for (const part of parts) {
    all.set(new BigUint64Array(part.buffer, part.byteOffset, part.length / 8), at)
    at += part.length / 8
  }
  return all.sort()
}

function countRepeated(sorted: BigUint64Array): number {
  let repeated = 0
  for (let i = 1; i < sorted.length; i++) if (sorted[i] === sorted[i - 1]) repeated++
  return repeated
}
