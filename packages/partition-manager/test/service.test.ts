import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type Clock, noTelemetry, systemClock, type Telemetry } from '@shardwright/core'
import { describe, expect, it } from 'vitest'
import {
  definePartitions,
  explainPruning,
  lockAdvice,
  type MaintenanceReport,
  maintain,
  PartitionError,
  startMaintenance,
} from '../src/index.ts'
import { connect, fleetOfUrls, scalar, useServer } from './support/database.ts'

interface Database {
  events: { id: number; at: Date }
}

const server = useServer({ max_connections: 60, max_prepared_transactions: 0 })
const policy = definePartitions<Database>()({ table: 'events', by: 'at', every: 'month', premake: 5 })
const table =
  'create table events (id int not null, at timestamptz not null, primary key (id, at)) partition by range (at)'
/** Never within a test: runs are asked for by hand. */
const never = { schedule: '0 0 1 1 *', jitterMs: 0 }

describe('startMaintenance', () => {
  it('runs by its schedule until it is stopped', async () => {
    const fleet = await server.fleet(table)
    const { promise, resolve } = Promise.withResolvers<MaintenanceReport>()
    await using maintenance = startMaintenance(fleet, [policy], {
      schedule: '* * * * * *',
      jitterMs: 50,
      onReport: resolve,
    })
    const keepAlive = setInterval(() => {}, 1000)
    const report = await promise
    clearInterval(keepAlive)
    expect(report.exitCode).toBe(0)
    await maintenance.stop()
    expect(await maintenance.run()).toBeUndefined()
    expect(maintenance.leads).toBe(false)
  })

  it('one leads; when it goes, another follows', async () => {
    const fleet = await server.fleet(table)
    const processes = [1, 2, 3].map(() => startMaintenance(fleet, [policy], never))
    const first = await Promise.all(processes.map((maintenance) => maintenance.run()))
    expect(first.filter(Boolean)).toHaveLength(1)
    const leader = processes.findIndex((maintenance) => maintenance.leads)
    expect(await processes[leader]?.run()).toMatchObject({ exitCode: 0 })
    // Its session is cut, as when its host dies.
    await using connection = await connect(fleet)
    const other = processes[(leader + 1) % 3]
    await connection.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'shardwright-partitions-leader' and datname = current_database()",
    )
    await until(
      async () =>
        (await scalar<number>(
          connection,
          "select count(*)::int from pg_stat_activity where application_name = 'shardwright-partitions-leader' and datname = current_database()",
        )) === 0,
    )
    expect(await other?.run()).toMatchObject({ exitCode: 0 })
    expect(await processes[leader]?.run()).toBeUndefined()
    await Promise.all(processes.map((maintenance) => maintenance.stop()))
  })

  it('of two processes one works; when it is killed, the other goes on within a second or two', async () => {
    const fleet = await server.fleet(table)
    await using connection = await connect(fleet)
    const database = await scalar(connection, 'select current_database()')
    const url = Object.assign(new URL(server.cluster.shards[0]?.url ?? ''), { pathname: `/${database}` }).href
    const children = [startChild(url), startChild(url)]
    try {
      await until(async () => children.some(({ ran }) => ran() >= 2))
      const leader = children.find(({ ran }) => ran() > 0)
      const other = children.find((child) => child !== leader)
      expect(other?.ran()).toBe(0)
      leader?.process.kill('SIGKILL')
      await until(async () => (other?.ran() ?? 0) > 0)
      expect(
        await scalar(connection, "select count(*)::int from pg_inherits where inhparent = 'public.events'::regclass"),
      ).toBe(2)
      // A new one does not take over from a leader that lives.
      const third = startChild(url)
      children.push(third)
      const before = other?.ran() ?? 0
      await until(async () => (other?.ran() ?? 0) >= before + 3)
      expect(third.ran()).toBe(0)
      // Asked to end, a leader resigns.
      other?.process.kill('SIGTERM')
      await until(async () => third.ran() > 0)
    } finally {
      for (const child of children) child.process.kill('SIGKILL')
    }
  })

  it('leads by the next shard when the first does not answer', async () => {
    const fleet = await server.fleet(table)
    const [url] = (await server.databases()) as [string]
    const dead = fleetOfUrls([url.replace(/:\d+\//, ':1/')]).shards.map((shard) => ({ ...shard, id: 'dead' }))
    const both = { topologyId: 'half', shards: [...dead, ...fleet.shards] }
    await using maintenance = startMaintenance(both, [policy], never)
    expect((await maintenance.run())?.tables.map((t) => [t.shard, t.outcome])).toEqual([
      ['dead', 'failed'],
      ['s1', 'done'],
    ])
    expect(maintenance.leads).toBe(true)
  })

  it('does not start a run over a run', async () => {
    const fleet = await server.fleet(table)
    const counted: string[] = []
    const telemetry: Telemetry = { ...noTelemetry, count: (name) => void counted.push(name) }
    await using maintenance = startMaintenance(fleet, [policy], { ...never, telemetry })
    const [one, two] = await Promise.all([maintenance.run(), maintenance.run()])
    expect([one?.exitCode, two]).toEqual([0, undefined])
    expect(counted).toContain('shardwright.partitions.overruns')
  })

  it('begins each run a random part of the jitter later', async () => {
    const fleet = await server.fleet(table)
    const slept: number[] = []
    const clock: Clock = { ...systemClock, sleep: async (delayMs) => void slept.push(delayMs) }
    await using maintenance = startMaintenance(fleet, [policy], {
      schedule: '* * * * * *',
      jitterMs: 1_000_000,
      clock,
    })
    await until(async () => slept.length >= 3)
    await maintenance.stop()
    expect(new Set(slept).size).toBeGreaterThan(1)
    for (const delayMs of slept) expect(delayMs).toBeLessThan(1_000_000)
  })

  it('refuses a schedule that is none', async () => {
    const fleet = await server.fleet(table)
    expect(() => startMaintenance(fleet, [policy], { schedule: 'hourly' })).toThrow(PartitionError)
  })
})

describe('advice', () => {
  it('says what a query reads, and that one does not prune', async () => {
    const fleet = await server.fleet(table)
    await maintain(fleet, [policy])
    await using connection = await connect(fleet)
    const db = connection.kysely<Database>()
    const pruned = db
      .selectFrom('events')
      .selectAll()
      .where('at', '>=', new Date())
      .where('at', '<', new Date(Date.now() + 60_000))
    const some = await explainPruning(connection, policy, pruned.compile())
    expect(some.total).toBe(6)
    expect(some.scanned).toBeLessThanOrEqual(2)
    expect(some.advice).toBeUndefined()
    const all = await explainPruning(
      connection,
      policy,
      db.selectFrom('events').selectAll().where('id', '=', 1).compile(),
    )
    expect(all).toMatchObject({ scanned: 6, total: 6, advice: { code: 'PARTITION_NOT_PRUNED' } })
    expect(all.advice?.message).toContain('all 6 partitions of public.events')
  })

  it('counts the locks of a query over all partitions against the lock table', async () => {
    const fleet = await server.fleet(table)
    const daily = definePartitions<Database>()({ table: 'events', by: 'at', every: 'day', premake: 150 })
    await maintain(fleet, [daily])
    await using connection = await connect(fleet)
    const report = await lockAdvice(connection, daily)
    // The parent, 151 partitions, and an index on each of them.
    expect(report.locksPerQuery).toBe(304)
    expect(report.lockTable).toBe(64 * 60)
    expect(report.advice?.message).toMatch(
      /takes 304 of 3840 locks \(max_locks_per_transaction 64\): 12 at once fit, with 60 connections/,
    )
    const few = definePartitions<Database>()({ table: 'few', by: 'at', every: 'day' } as never)
    expect((await lockAdvice(connection, few)).advice).toBeUndefined()
  })
})

function startChild(url: string): { readonly process: ChildProcess; readonly ran: () => number } {
  const file = fileURLToPath(new URL('./support/leader.ts', import.meta.url))
  const child = spawn(process.execPath, ['--conditions=shardwright-source', file, url], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let out = ''
  child.stdout?.on('data', (text: Buffer) => {
    out += text.toString()
  })
  return { process: child, ran: () => out.split('\n').length - 1 }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20))
}
