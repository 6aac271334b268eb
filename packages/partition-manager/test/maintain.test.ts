import { noTelemetry, type Telemetry } from '@shardwright/core'
import { describe, expect, it } from 'vitest'
import { definePartitions, inspectPartitions, maintain, planPartitions, printPlan, printReport } from '../src/index.ts'
import { connect, fleetOfUrls, partitionsOf, scalar, useServer } from './support/database.ts'

interface Database {
  transactions: { festival_id: string; id: string; created_at: Date; amount: string }
  events: { id: string; at: Date }
}

const define = definePartitions<Database>()
const transactions = `
  create table transactions (festival_id text not null, id text not null, created_at timestamptz not null,
    amount numeric(12,2) not null default 0, primary key (id, created_at)) partition by range (created_at);
  create index transactions_festival_idx on transactions (festival_id, created_at);`
const server = useServer({ max_connections: 60 })

describe('maintain', () => {
  it('creates the current partition and those ahead on every shard, then has nothing to do', async () => {
    const fleet = await server.fleet(transactions, 2)
    const policy = define({ table: 'transactions', by: 'created_at', every: 'month', premake: 3 })
    const seen: string[] = []
    const report = await maintain(fleet, [policy], { onTable: (table) => seen.push(`${table.shard} ${table.outcome}`) })
    expect(report.exitCode).toBe(0)
    expect(
      report.tables.map((table) => [table.shard, table.outcome, table.figures?.partitions, table.figures?.ahead]),
    ).toEqual([
      ['s1', 'done', 4, 3],
      ['s2', 'done', 4, 3],
    ])
    expect(seen.sort()).toEqual(['s1 done', 's2 done'])
    expect(printReport(report)).toContain('s1 public.transactions: done (4 partitions, 3 ahead, 0 rows in DEFAULT)')
    const again = await maintain(fleet, [policy])
    expect(again.tables.map((table) => table.outcome)).toEqual(['nothing-to-do', 'nothing-to-do'])
    await using connection = await connect(fleet)
    await connection.script("insert into transactions (festival_id, id, created_at) values ('f', '1', now())")
    expect(
      await scalar(connection, 'select count(*)::int from pg_inherits i join pg_index x on x.indrelid = i.inhrelid'),
    ).toBe(8)
    const plan = await maintain(fleet, [policy], { dryRun: true })
    expect(plan.tables[0]?.plan?.actions).toEqual([])
  })

  it('a dry run prints the SQL whole and changes nothing', async () => {
    const fleet = await server.fleet(transactions)
    const policy = define({ table: 'transactions', by: 'created_at', every: 'month', premake: 0, from: '2026-01-01' })
    const report = await maintain(fleet, [policy], { dryRun: true })
    const text = printPlan(report.tables[0]?.plan as never)
    expect(text).toContain('create table "public"."transactions_p2026_01" (like "public"."transactions"')
    expect(text).toContain("for values from ('2026-01-01 00:00:00+00') to ('2026-02-01 00:00:00+00')")
    await using connection = await connect(fleet)
    expect(await partitionsOf(connection, 'transactions')).toEqual([])
    // What is printed is what runs: the whole text, sent by hand, leaves nothing to do.
    await connection.script(text)
    expect((await maintain(fleet, [policy])).tables[0]?.outcome).toBe('nothing-to-do')
  })

  it('case 1: the same New York bounds from any process, on servers of any timezone, over both changes', async () => {
    const fleet = await server.fleet(transactions, 2)
    await using first = await connect(fleet, 0)
    await using second = await connect(fleet, 1)
    await first.script(
      "do $$ begin execute format('alter database %I set timezone to ''Asia/Tokyo''', current_database()); end $$",
    )
    await second.script(
      "do $$ begin execute format('alter database %I set timezone to ''America/New_York''', current_database()); end $$",
    )
    const policy = define({
      table: 'transactions',
      by: 'created_at',
      every: 'day',
      zone: 'America/New_York',
      premake: 3,
    })
    const bounds: string[][] = []
    for (const [at, zone] of [
      [0, 'UTC'],
      [1, 'America/New_York'],
    ] as const) {
      const before = process.env.TZ
      process.env.TZ = zone
      try {
        await using connection = await connect(fleet, at)
        const state = await inspectPartitions(connection, policy)
        for (const day of ['2026-03-07T12:00:00Z', '2026-10-31T12:00:00Z']) {
          const now = BigInt(Date.parse(day)) * 1000n
          for (const action of planPartitions(state, policy, now).actions) await connection.script(action.sql.join(';'))
        }
        bounds.push((await partitionsOf(connection, 'transactions')).map(([name, bound]) => `${name} ${bound}`))
      } finally {
        if (before === undefined) delete process.env.TZ
        else process.env.TZ = before
      }
    }
    expect(bounds[0]).toEqual(bounds[1])
    expect(bounds[0]).toContain(
      "transactions_p2026_03_08 FOR VALUES FROM ('2026-03-08 05:00:00+00') TO ('2026-03-09 04:00:00+00')",
    )
    expect(bounds[0]).toContain(
      "transactions_p2026_11_01 FOR VALUES FROM ('2026-11-01 04:00:00+00') TO ('2026-11-02 05:00:00+00')",
    )
    expect(bounds[0]).toHaveLength(8)
  })

  it('case 8: one table and one shard fail, the rest is done, the next run does what is left', async () => {
    const [url] = await server.databases()
    const good = await server.fleet(transactions)
    const fleet = {
      topologyId: 'mixed',
      shards: [
        ...good.shards,
        ...fleetOfUrls([(url as string).replace(/:\d+\//, ':1/')]).shards.map((shard) => ({ ...shard, id: 'dead' })),
      ],
    }
    const policies = [
      define({ table: 'events', by: 'at', every: 'day' }),
      define({ table: 'transactions', by: 'created_at', every: 'month' }),
    ]
    const report = await maintain(fleet, policies)
    expect(report.tables.map((t) => [t.shard, t.table, t.outcome, t.failure?.code])).toEqual([
      ['s1', 'public.events', 'failed', 'PARTITION_TABLE_NOT_FOUND'],
      ['s1', 'public.transactions', 'done', undefined],
      ['dead', 'public.events', 'failed', 'SHARD_UNREACHABLE'],
      ['dead', 'public.transactions', 'failed', 'SHARD_UNREACHABLE'],
    ])
    expect(report).toMatchObject({ exitCode: 1, failed: 3 })
    await using connection = await connect(good)
    await connection.script('create table events (id text, at timestamptz not null) partition by range (at)')
    const next = await maintain(good, policies)
    expect(next.tables.map((t) => [t.table, t.outcome])).toEqual([
      ['public.events', 'done'],
      ['public.transactions', 'nothing-to-do'],
    ])
    expect(next.exitCode).toBe(0)
  })

  it('refuses a plain table, another key and a key of another type', async () => {
    const fleet = await server.fleet(`create table transactions (created_at timestamptz);
      create table events (at date, id text) partition by range (at)`)
    const report = await maintain(fleet, [
      define({ table: 'transactions', by: 'created_at', every: 'month' }),
      define({ table: 'events', by: 'at', every: 'month' }),
    ])
    expect(report.tables.map((t) => t.failure?.code)).toEqual([
      'PARTITION_KEY_MISMATCH',
      'PARTITION_TABLE_NOT_PARTITIONED',
    ])
    expect(report.tables[0]?.failure?.message).toContain('RANGE (at date)')
  })

  it.each([
    ['timestamptz', 'timestamptz', 'now()'],
    ['timestamp', 'timestamp', "now() at time zone 'Europe/Berlin'"],
    ['date', 'date', "(now() at time zone 'Europe/Berlin')::date"],
    ['epoch-s', 'bigint', 'extract(epoch from now())::bigint'],
    ['epoch-ms', 'bigint', '(extract(epoch from now()) * 1000)::bigint'],
    ['epoch-us', 'bigint', '(extract(epoch from now()) * 1000000)::bigint'],
    [
      'uuid-v7',
      'uuid',
      "(lpad(to_hex((extract(epoch from now()) * 1000)::bigint), 12, '0') || '7000800000000000000a')::uuid",
    ],
  ] as const)('case 11: partitions by %s', async (key, type, now) => {
    const fleet = await server.fleet(`create table events (at ${type} not null) partition by range (at)`)
    const policy = define({ table: 'events', by: 'at', key, every: 'day', zone: 'Europe/Berlin', premake: 2 })
    expect((await maintain(fleet, [policy])).tables[0]).toMatchObject({
      outcome: 'done',
      figures: { partitions: 3, ahead: 2 },
    })
    await using connection = await connect(fleet)
    await connection.script(`insert into events values (${now})`)
    expect((await maintain(fleet, [policy])).tables[0]?.outcome).toBe('nothing-to-do')
    const state = await inspectPartitions(connection, policy)
    expect(state.partitions.every((p, at, all) => at === 0 || p.lower === all[at - 1]?.upper)).toBe(true)
  })

  it('measures', async () => {
    const fleet = await server.fleet(transactions)
    const gauges = new Map<string, number>()
    const telemetry: Telemetry = { ...noTelemetry, gauge: (name, value) => void gauges.set(name, value) }
    await maintain(fleet, [define({ table: 'transactions', by: 'created_at', every: 'month' })], { telemetry })
    expect(gauges.get('shardwright.partitions.ahead')).toBe(3)
    expect(gauges.get('shardwright.partitions.default_rows')).toBe(0)
    expect(gauges.get('shardwright.partitions.last_success_seconds')).toBeGreaterThan(1_700_000_000)
    expect(gauges.has('shardwright.partitions.oldest_kept_seconds')).toBe(true)
  })

  it('fills gaps, keeps wide legacy partitions, and cuts pieces where the interval has changed', async () => {
    const fleet = await server.fleet(`create table events (at timestamptz not null) partition by range (at)`)
    await using connection = await connect(fleet)
    await connection.script(`set timezone to 'UTC';
      create table wide partition of events for values from ('2026-01-10') to ('2026-02-20');
      create table later partition of events for values from ('2026-05-01') to ('2026-05-15')`)
    const policy = define({ table: 'events', by: 'at', every: 'month', premake: 0 })
    const state = await inspectPartitions(connection, policy)
    const plan = planPartitions(state, policy, BigInt(Date.parse('2026-05-31T23:00:00Z')) * 1000n)
    expect(plan.actions.map((a) => (a.kind === 'create' ? [a.name, a.gap] : a.kind))).toEqual([
      ['events_p2026_02_x20260220t000000', true],
      ['events_p2026_03', true],
      ['events_p2026_04', true],
      ['events_p2026_05_x20260515t000000', false],
    ])
    for (const action of plan.actions) await connection.script(action.sql.join(';'))
  })

  it('says when a name is taken, and creates the others', async () => {
    const fleet = await server.fleet(`${transactions} create table transactions_p2026_01 (a int)`)
    const policy = define({ table: 'transactions', by: 'created_at', every: 'month', premake: 0, from: '2026-01-01' })
    const table = (await maintain(fleet, [policy])).tables[0]
    expect(table?.outcome).toBe('failed')
    expect(table?.problems.map((p) => p.code)).toEqual(['PARTITION_NAME_TAKEN'])
    expect(table?.actions.every((a) => a.outcome === 'done')).toBe(true)
    expect(table?.actions.length).toBeGreaterThan(3)
  })

  it('knows its partitions and what takes their names when the table has 60 bytes of name in four-byte characters', async () => {
    const tent = '\u{1F3AA}'.repeat(15)
    const fleet = await server.fleet(`create table "${tent}" (id int, at timestamptz) partition by range (at)`)
    const policy = definePartitions<Record<string, { at: Date }>>()({
      table: tent,
      by: 'at',
      every: 'hour',
      premake: 2,
    })
    const planned = (await maintain(fleet, [policy], { dryRun: true })).tables[0]?.plan?.actions ?? []
    const names = planned.map((action) => (action.kind === 'create' ? action.name : ''))
    expect(new Set(names).size).toBe(3)
    for (const name of names) expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63)
    await using connection = await connect(fleet)
    await connection.script(`create table "${names[1]}" (a int)`)
    const report = await maintain(fleet, [policy])
    expect(report.tables[0]?.problems.map(({ code }) => code)).toEqual(['PARTITION_NAME_TAKEN'])
    await connection.script(`drop table public."${names[1]}"`)
    expect((await maintain(fleet, [policy])).tables[0]?.figures?.partitions).toBe(3)
  })
})
