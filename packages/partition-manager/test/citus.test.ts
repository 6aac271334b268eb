// biome-ignore-all lint/suspicious/noThenProperty: the policy's own word; never a function.
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Fleet, FleetConnection } from '@shardwright/core'
import {
  type CitusCluster,
  type CitusDatabase,
  citusAvailability,
  citusFromEnvironment,
} from '@shardwright/local-cluster'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  attachPartition,
  definePartitions,
  explainPruning,
  inspectPartitions,
  maintain,
  type PartitionPolicyOptions,
  planConvert,
  printReport,
} from '../src/index.ts'
import { connect, fleetOfUrls, partitionsOf } from './support/database.ts'

interface Database {
  events: { tenant: number; id: number; at: Date; note: string }
}

const citus = await citusAvailability()

describe.skipIf(!citus.available)('on tables that Citus distributes', () => {
  let cluster: CitusCluster
  let database: CitusDatabase
  let fleet: Fleet
  let connection: FleetConnection
  const month = (back: number) => `date_trunc('month', now() at time zone 'utc') - interval '${back} months'`
  const define = (options: Partial<PartitionPolicyOptions<Database>> = {}) =>
    definePartitions<Database>()({ table: 'events', by: 'at', every: 'month', premake: 1, ...options })
  const run = async (options: Partial<PartitionPolicyOptions<Database>> = {}) =>
    await maintain(fleet, [define(options)])

  beforeAll(async () => {
    cluster = await citusFromEnvironment()
    database = await cluster.createDatabase()
    fleet = fleetOfUrls([database.url])
    await using prepared = await connect(fleet)
    await prepared.query('create extension citus_columnar')
  }, 120_000)
  afterAll(() => cluster?.stop(), 60_000)
  beforeEach(async () => {
    connection = await connect(fleet)
    await connection.query('drop table if exists events')
    await connection.query(`create table events (tenant int not null, id bigint not null, at timestamptz not null,
      note text, primary key (tenant, id, at)) partition by range (at)`)
    await connection.query(
      `select create_distributed_table('events', 'tenant', colocate_with => 'none', shard_count => 4)`,
    )
  })
  afterEach(() => connection.release())

  async function addPartition(back: number, rows: number): Promise<string> {
    const name = `events_old_${back}`
    const { rows: bounds } = await connection.query<{ lower: string; upper: string }>(
      `select (${month(back)})::text || '+00' as lower, (${month(back - 1)})::text || '+00' as upper`,
    )
    const { lower, upper } = bounds[0] as { lower: string; upper: string }
    await connection.query(`create table ${name} partition of events for values from ('${lower}') to ('${upper}')`)
    await fill(back, rows)
    return name
  }

  async function fill(back: number, rows: number): Promise<void> {
    await connection.query(`insert into events select i % 50, i, ((${month(back)}) at time zone 'utc') + i * interval '1 minute', 'n' || i
      from generate_series(1, ${rows}) i`)
  }

  async function count(): Promise<number> {
    return (await connection.query<{ n: number }>('select count(*)::int as n from events')).rows[0]?.n ?? -1
  }

  async function citusTables(): Promise<string[]> {
    const { rows } = await connection.query<{ name: string }>(
      'select logicalrelid::text as name from pg_dist_partition order by 1',
    )
    return rows.map((row) => row.name)
  }

  it('creates partitions on every node and knows their real sizes', async () => {
    await addPartition(2, 3000)
    const report = await run()
    expect(report.exitCode, printReport(report)).toBe(0)
    const names = (await partitionsOf(connection, 'events')).map(([name]) => name)
    expect(names).toHaveLength(4) // two months ago, the gap, this one and the next
    expect(await citusTables()).toEqual(expect.arrayContaining(['events', ...names]))
    const state = await inspectPartitions(connection, define())
    expect(state.parent).toMatchObject({ distributed: true, distributionColumn: 'tenant' })
    expect(Number(state.partitions[0]?.bytes)).toBeGreaterThan(100_000)
    expect((await run()).tables[0]?.outcome).toBe('nothing-to-do')
  })

  it('counts the partitions that the tasks of Citus read, and those of subplans', async () => {
    for (const back of [2, 1, 0]) await addPartition(back, 20)
    const explain = async (sql: string, parameters: readonly unknown[] = []) =>
      await explainPruning(connection, define(), { sql, parameters })
    const since = new Date(Date.now() - 1000)
    expect(await explain('select count(*) from events where at >= $1', [since])).toMatchObject({
      scanned: 1,
      total: 3,
      advice: undefined,
    })
    expect(await explain('select * from events where tenant = $1 and at >= $2', [7, since])).toMatchObject({
      scanned: 1,
    })
    expect(await explain('select count(*) from events')).toMatchObject({
      scanned: 3,
      advice: { code: 'PARTITION_NOT_PRUNED' },
    })
    const inSubplan = 'with e as materialized (select * from events offset 0) select count(*) from e'
    expect(await explain(inSubplan)).toMatchObject({ scanned: 3 })
  })

  it('removes what retention says by a detach that Citus can do', async () => {
    const old = await addPartition(6, 500)
    const kept = await addPartition(3, 500)
    const report = await run({ retention: { keep: '5 months', then: 'drop' } })
    expect(report.exitCode, printReport(report)).toBe(0)
    expect(await count()).toBe(500)
    const tables = await citusTables()
    expect(tables).not.toContain(old)
    expect(tables).toContain(kept)
  })

  it('archives to a folder, verified, and to a schema', async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'shardwright-archive-'))
    try {
      await addPartition(6, 700)
      await addPartition(1, 0)
      const report = await run({ retention: { keep: '5 months', then: { archive: { directory } } } })
      expect(report.exitCode, printReport(report)).toBe(0)
      expect((await readdir(directory, { recursive: true })).length).toBeGreaterThan(0)
      const old = await addPartition(7, 10)
      const moved = await run({ retention: { keep: '5 months', then: { archive: { schema: 'attic' } } } })
      expect(moved.exitCode, printReport(moved)).toBe(0)
      expect(await citusTables()).toContain(`attic.${old}`)
      expect(await count()).toBe(0)
      await connection.query(`drop table attic.${old}`)
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  })

  it('moves rows out of DEFAULT in batches, and none is lost', async () => {
    await connection.query('create table events_rest partition of events default')
    await fill(1, 700)
    await fill(0, 300)
    const reported = await run()
    expect(reported.tables[0]?.problems.map((problem) => problem.code)).toContain('PARTITION_DEFAULT_ROWS')
    const before = await checksum()
    const report = await run({ defaultRows: 'repair', repairBatchRows: 250 })
    expect(report.exitCode, printReport(report)).toBe(0)
    expect(await checksum()).toEqual(before)
    expect((await connection.query('select from events_rest limit 1')).rowCount).toBe(0)
    expect((await run({ defaultRows: 'repair' })).tables[0]?.outcome).toBe('nothing-to-do')
  })

  it('builds an index partition by partition, concurrently', async () => {
    await addPartition(2, 500)
    const report = await run({ indexes: [{ name: 'events_note', columns: ['note'] }] })
    expect(report.exitCode, printReport(report)).toBe(0)
    const { rows } = await connection.query<{ valid: boolean }>(
      `select indisvalid as valid from pg_index where indexrelid = 'events_note'::regclass`,
    )
    expect(rows).toEqual([{ valid: true }])
    expect((await run({ indexes: [{ name: 'events_note', columns: ['note'] }] })).tables[0]?.outcome).toBe(
      'nothing-to-do',
    )
  })

  it('rewrites old partitions in columns, once, and reads the same from them', async () => {
    const old = await addPartition(6, 800)
    await addPartition(2, 200)
    const before = await checksum()
    const report = await run({ columnar: { after: '4 months' }, fillGaps: false })
    expect(report.exitCode, printReport(report)).toBe(0)
    expect(report.tables[0]?.actions.map(({ action }) => action.kind)).toContain('columnar')
    const state = await inspectPartitions(connection, define())
    expect(state.partitions.filter((p) => p.accessMethod === 'columnar').map((p) => p.name)).toEqual([old])
    expect(await checksum()).toEqual(before)
    expect((await run({ columnar: { after: '4 months' }, fillGaps: false })).tables[0]?.outcome).toBe('nothing-to-do')
  })

  it('leaves partitions in rows where columnar tables cannot hold what the table has', async () => {
    await connection.query('create table codes (note text primary key)')
    await connection.query(`select create_reference_table('codes')`)
    await connection.query('alter table events add constraint events_code foreign key (note) references codes (note)')
    await addPartition(6, 0)
    const report = await run({ columnar: { after: '4 months' }, fillGaps: false })
    expect(report.tables[0]?.problems.map((problem) => problem.code)).toEqual(['PARTITION_COLUMNAR_REFUSED'])
    await connection.query('drop table events, codes')
  })

  it('gives up a lock that a worker does not give, and blocks nobody meanwhile', async () => {
    await addPartition(2, 100)
    const { rows } = await connection.query<{ port: number; host: string; shard: string }>(
      `select nodeport as port, nodename as host, shard_name as shard from citus_shards where table_name = 'events'::regclass limit 1`,
    )
    const { host, port, shard } = rows[0] as { port: number; host: string; shard: string }
    await using holder = await connect(fleetOfUrls([database.nodes[`${host}:${port}`] as string]))
    await holder.query('set citus.enable_manual_changes_to_shards to on')
    await holder.query('begin')
    await holder.query(`lock table ${shard} in share mode`)
    const started = performance.now()
    const report = await maintain(fleet, [define()], { lockTimeoutMs: 150, lockAttempts: 2, backoffMs: 10 })
    expect(performance.now() - started).toBeLessThan(10_000)
    expect(report.tables[0]?.actions[0]?.failure?.code, printReport(report)).toBe('PARTITION_LOCK_TIMEOUT')
    await holder.query('rollback')
    expect((await run()).exitCode).toBe(0)
  })

  it('attaches an existing table, and refuses to convert a distributed one', async () => {
    await connection.query(
      'create table before (tenant int not null, id bigint not null, at timestamptz not null, note text)',
    )
    await connection.query(
      `insert into before select 1, i, '2020-01-01Z'::timestamptz + i * interval '1 hour', 'b' from generate_series(1, 50) i`,
    )
    await attachPartition(fleet.shards[0]!, define(), {
      table: 'before',
      from: '2020-01-01',
      to: '2021-01-01',
    })
    expect(await count()).toBe(50)
    expect(await citusTables()).toContain('before')
    await connection.query(
      'create table plain (tenant int, id bigint, at timestamptz not null, primary key (tenant, id, at))',
    )
    await connection.query(
      `select create_distributed_table('plain', 'tenant', colocate_with => 'none', shard_count => 4)`,
    )
    const policy = definePartitions<{ plain: Database['events'] }>()({ table: 'plain', by: 'at', every: 'month' })
    const plan = await planConvert(connection, policy)
    expect(plan.refusals.join()).toContain('Citus distributes it')
    await connection.query('drop table public.plain')
  })

  async function checksum(): Promise<unknown> {
    return (
      await connection.query(
        'select count(*)::text as n, sum(hashtextextended(e::text, 0)::numeric)::text as sum from public.events e',
      )
    ).rows[0]
  }
})
