// biome-ignore-all lint/suspicious/noThenProperty: the policy's own word; never a function.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { FleetShard } from '@shardwright/core'
import { describe, expect, it } from 'vitest'
import { attachPartition, definePartitions, inspectPartitions, maintain, planPartitions } from '../src/index.ts'
import { connect, partitionsOf, scalar, useServer } from './support/database.ts'

interface Database {
  events: { id: number; at: Date; tenant: number; note: string }
}
type Options = Parameters<ReturnType<typeof definePartitions<Database>>>[0]

const server = useServer({ max_connections: 60 })
const define = (change: Partial<Options> = {}) =>
  definePartitions<Database>()({ table: 'events', by: 'at', every: 'month', premake: 0, fillGaps: false, ...change })

const retention = { keep: '12 months', then: 'drop' } as const

describe('bounds that no clock shows', () => {
  it.each([
    ['timestamptz', 'timestamptz', "'-infinity'", "'infinity'", "'294276-12-31'"],
    ['timestamp', 'timestamp', "'-infinity'", "'infinity'", "'294276-12-31'"],
    ['date', 'date', "'-infinity'", "'infinity'", "'5874897-12-31'"],
    ['epoch-ms', 'bigint', '-9223372036854775808', '9223372036854775807', '9000000000000000000'],
    [
      'uuid-v7',
      'uuid',
      "'00000000-0000-0000-0000-000000000000'",
      "'ffffffff-ffff-ffff-ffff-ffffffffffff'",
      "'fffffff0-0000-0000-0000-000000000000'",
    ],
  ] as const)(
    'of %s are no obstacle, and nothing beyond them is created or removed',
    async (key, type, first, last, far) => {
      const old =
        { 'epoch-ms': '1000', 'uuid-v7': "'00000000-1000-0000-0000-000000000000'" }[key as string] ?? "'2001-01-01'"
      const fleet = await server.fleet(`
      create table events (id int, at ${type} not null) partition by range (at);
      create table events_ancient partition of events for values from (${first}) to (${old});
      create table events_far partition of events for values from (${far}) to (${last});
      create table events_end partition of events for values from (${last}) to (maxvalue)`)
      const policy = define({ key, retention, premake: 1 })
      const report = await maintain(fleet, [policy])
      expect(report.tables[0]?.failure).toBeUndefined()
      expect(report.tables[0]?.actions.map(({ action, outcome }) => [action.kind, outcome])).toEqual([
        ['create', 'done'],
        ['create', 'done'],
        ['retire', 'done'],
      ])
      expect(report.tables[0]?.figures).toMatchObject({ partitions: 4 })
      await using connection = await connect(fleet)
      const names = (await partitionsOf(connection, 'events')).map(([name]) => name)
      expect(names).toContain('events_far')
      expect(names).toContain('events_end')
      expect(names).not.toContain('events_ancient')
    },
  )

  it('a partition that ends before all time is no reason to fill gaps from there', async () => {
    const fleet = await server.fleet(`create table events (at timestamptz not null) partition by range (at);
      create table events_none partition of events for values from (minvalue) to ('-infinity')`)
    const plan = (await maintain(fleet, [define({ fillGaps: true })], { dryRun: true })).tables[0]?.plan
    expect(plan?.actions).toHaveLength(1)
  })

  it('a retirement that is taken back gives the partition its own bounds, also where a position cannot say them', async () => {
    const low = "'0170a000-0000-7000-8000-000000000001'"
    const high = "'0170b000-0000-7000-8000-00000000000f'"
    const setup = `create table events (id int, at uuid not null) partition by range (at);
      create table events_odd partition of events for values from (${low}) to (${high});
      create table events_next partition of events for values from (${high}) to ('ffffffff-ffff-ffff-ffff-ffffffffffff')`
    const fleet = await server.fleet(setup)
    const policy = define({ key: 'uuid-v7', retention })
    await using connection = await connect(fleet)
    const before = await partitionsOf(connection, 'events')
    const stopped = await maintain(fleet, [policy], {
      onProgress: ({ step }) => {
        if (step === 'dispose') throw new Error('stop here')
      },
    })
    expect(stopped.exitCode).toBe(1)
    const report = await maintain(fleet, [define({ key: 'uuid-v7' })])
    expect(report.tables[0]?.actions.map(({ action, outcome }) => [action.kind, outcome])).toContainEqual([
      'reattach',
      'done',
    ])
    expect(await partitionsOf(connection, 'events')).toEqual(before)
  })
})

describe('partitions that have partitions', () => {
  const hashed = `
    set timezone to 'UTC';
    create table events (id int not null, tenant int not null, at timestamptz not null, note text) partition by range (at);
    create table events_2020 partition of events for values from ('2020-01-01') to ('2021-01-01') partition by hash (tenant);
    create table events_2020_a partition of events_2020 for values with (modulus 2, remainder 0);
    create table events_2020_b partition of events_2020 for values with (modulus 2, remainder 1) partition by range (id);
    create table events_2020_b1 partition of events_2020_b for values from (minvalue) to (50);
    create table events_2020_b2 partition of events_2020_b for values from (50) to (maxvalue);
    insert into events select g, g % 7, timestamptz '2020-03-01' + g * interval '1 day', 'n' || g from generate_series(1, 100) g;`

  it('get their indexes leaf by leaf, concurrently, and go on where a build was stopped', async () => {
    const fleet = await server.fleet(hashed)
    const policy = define({ indexes: [{ name: 'events_note', columns: ['note', 'at'] }] })
    await maintain(fleet, [define()])
    const steps: string[] = []
    let built = 0
    const stopped = await maintain(fleet, [policy], {
      onProgress: ({ step, partition }) => {
        if (step === 'build-index' && ++built === 3) throw new Error('stop here')
        steps.push(`${step} ${partition ?? ''}`)
      },
    })
    expect(stopped.exitCode).toBe(1)
    const report = await maintain(fleet, [policy])
    expect(
      report.tables[0]?.actions.every(({ outcome }) => outcome === 'done'),
      JSON.stringify(steps),
    ).toBe(true)
    await using connection = await connect(fleet)
    expect(
      await scalar(
        connection,
        `select string_agg(i.relid::regclass || ' ' || x.indisvalid, ', ' order by i.relid::regclass::text)
        from pg_partition_tree('public.events_note') i join pg_index x on x.indexrelid = i.relid where not x.indisvalid`,
      ),
    ).toBeNull()
    expect(await scalar(connection, `select count(*)::int from pg_partition_tree('public.events_note')`)).toBe(7)
    expect((await maintain(fleet, [policy])).tables[0]?.outcome).toBe('nothing-to-do')
    const planned = planPartitions(await inspectPartitions(connection, policy), policy)
    expect(planned.actions).toEqual([])
  })

  it('are archived whole and removed whole', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'shardwright-odd-'))
    const fleet = await server.fleet(hashed)
    const policy = define({ retention: { keep: '12 months', then: { archive: { directory } } } })
    await maintain(fleet, [define()])
    const report = await maintain(fleet, [policy])
    expect(report.tables[0]?.actions.map(({ outcome }) => outcome)).toEqual(['done'])
    const file = (await readdir(directory)).find((name) => name.endsWith('.gz')) ?? ''
    expect(
      gunzipSync(await readFile(join(directory, file)))
        .toString()
        .split('\n').length - 1,
    ).toBe(100)
    await using connection = await connect(fleet)
    expect(await scalar(connection, `select count(*)::int from pg_class where relname like 'events_2020%'`)).toBe(0)
    await rm(directory, { recursive: true })
  })

  it.each([
    ['a view on a leaf', 'create view v as select * from events_2020_b1', 'view public.v'],
    [
      'a function with the row type of a leaf',
      'create function f(e events_2020_a) returns int language sql as $$ select 1 $$',
      'function public.f',
    ],
    ['a column of its row type', 'create table held (e events_2020)', 'column e of table public.held'],
    [
      'a foreign key to a leaf',
      'alter table events_2020_a add unique (id); create table r (id int references events_2020_a (id))',
      'constraint r_id_fkey',
    ],
    [
      'a policy that reads it',
      `create table guarded (id int); create policy p on guarded using (exists (select from events_2020_a))`,
      'policy p on table public.guarded',
    ],
    [
      'a rule of another table',
      'create table ruled (id int); create rule r as on insert to ruled do also delete from events_2020_b2',
      'rule r on table public.ruled',
    ],
  ])('stay attached when something stands on them: %s', async (_, sql, named) => {
    const fleet = await server.fleet(`${hashed} ${sql}`)
    await maintain(fleet, [define()])
    const report = await maintain(fleet, [define({ retention })])
    expect(report.tables[0]?.actions[0]?.failure).toMatchObject({
      code: 'PARTITION_REFERENCED',
      message: expect.stringContaining(named),
    })
    await using connection = await connect(fleet)
    expect((await partitionsOf(connection, 'events')).map(([name]) => name)).toContain('events_2020')
  })

  it('what stands on itself is no obstacle', async () => {
    const fleet = await server.fleet(`${hashed}
      alter table events_2020_a add check (id > 0), add primary key (id), add constraint own foreign key (tenant) references events_2020_a (id) not valid;
      create index on events_2020_b1 ((id + 1)) where id > 3; create statistics s on id, tenant from events_2020_b1;
      create policy p on events_2020_b2 using (id > 0); create rule r as on delete to events_2020_b1 where old.id < 0 do instead nothing`)
    await maintain(fleet, [define()])
    const report = await maintain(fleet, [define({ retention })])
    expect(report.tables[0]?.actions.map(({ outcome, failure }) => [outcome, failure?.message])).toEqual([
      ['done', undefined],
    ])
  })
})

describe('a parent that is a partition itself', () => {
  const regions = `
    set timezone to 'UTC';
    create table regions (region text not null, id int not null, at timestamptz not null, gone int) partition by list (region);
    alter table regions drop column gone;
    create table events partition of regions for values in ('eu') partition by range (at);
    create table events_2020 partition of events for values from ('2020-01-01') to ('2020-02-01');
    create table events_default partition of events default;
    create table loose (at timestamptz not null, extra int, region text not null, id int not null);
    alter table loose drop column extra;
    insert into loose select timestamptz '2019-03-01' + g * interval '1 hour', 'eu', g from generate_series(1, 100) g;
    insert into regions select 'eu', g, timestamptz '2026-05-01' + g * interval '1 hour' from generate_series(1, 800) g;`

  it('is maintained like any other: creation, repair, attach, retention', async () => {
    const fleet = await server.fleet(regions)
    const shard = fleet.shards[0] as FleetShard
    const repaired = await maintain(fleet, [define({ defaultRows: 'repair', repairBatchRows: 300 })])
    expect(repaired.tables[0]).toMatchObject({ outcome: 'done', figures: { defaultRows: 0 } })
    await using connection = await connect(fleet)
    await connection.script('drop table public.events_default')
    const notices: string[] = []
    const watched = {
      ...shard,
      connect: async (...args: Parameters<typeof shard.connect>) => {
        const opened = await shard.connect(...args)
        opened.client.on('notice', ({ message }: { message?: string }) => void notices.push(message ?? ''))
        await opened.script('set client_min_messages = debug1')
        return opened
      },
    }
    await attachPartition(watched, define(), { table: 'loose', from: '2019-03-01', to: '2019-04-01' })
    expect(notices).toContain('partition constraint for table "loose" is implied by existing constraints')
    expect(await scalar(connection, 'select count(*)::int from public.regions')).toBe(900)
    const report = await maintain(fleet, [define({ retention })])
    expect(report.tables[0]?.actions.map(({ action, outcome }) => [action.kind, outcome])).toEqual([
      ['retire', 'done'],
      ['retire', 'done'],
    ])
    expect(await scalar(connection, 'select count(*)::int from public.regions')).toBe(800)
  })
})

describe('columns that are not as they were', () => {
  it('dropped, generated and added ones: rows in DEFAULT move, archives restore', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'shardwright-columns-'))
    const fleet = await server.fleet(`
      set timezone to 'UTC';
      create table events (gone text, id int not null, at timestamptz not null, doubled int generated always as (id * 2) stored,
        number bigint generated by default as identity) partition by range (at);
      create table events_2020 partition of events for values from ('2020-01-01') to ('2020-02-01');
      create table events_default partition of events default;
      insert into events (gone, id, at) select 'x', g, timestamptz '2020-01-02' + g * interval '1 hour' from generate_series(1, 50) g;
      insert into events (gone, id, at) select 'x', g, timestamptz '2026-02-02' + g * interval '1 hour' from generate_series(51, 90) g;
      alter table events drop column gone;
      alter table events add column "Odd ""name""" text default 'tab' || chr(9);
      create table restored (like events including generated)`)
    await using connection = await connect(fleet)
    const sum = (table: string) =>
      scalar(
        connection,
        `select md5(string_agg(concat_ws(',', id, at, doubled, number, "Odd ""name"""), ';' order by id)) from public.${table}`,
      )
    const before = await sum('events')
    const policy = define({ defaultRows: 'repair' })
    expect((await maintain(fleet, [policy])).tables[0]).toMatchObject({ outcome: 'done', figures: { defaultRows: 0 } })
    expect(await sum('events')).toBe(before)
    const old = await sum('events_2020')
    const report = await maintain(fleet, [
      define({ retention: { keep: '12 months', then: { archive: { directory } } } }),
    ])
    expect(
      report.tables[0]?.actions.some(({ action, outcome }) => action.kind === 'retire' && outcome === 'done'),
    ).toBe(true)
    const manifest = JSON.parse(await readFile(join(directory, 's1.public.events_2020.json'), 'utf8')) as {
      columns: string[]
    }
    expect(manifest.columns).toEqual(['id', 'at', 'number', 'Odd "name"'])
    const text = gunzipSync(await readFile(join(directory, 's1.public.events_2020.copy.gz'))).toString()
    const columns = manifest.columns.map((name) => `"${name.replaceAll('"', '""')}"`).join(', ')
    const { from } = await import('pg-copy-streams')
    const client = connection.client as unknown as { query(stream: ReturnType<typeof from>): NodeJS.WritableStream }
    const into = client.query(from(`copy public.restored (${columns}) from stdin`))
    await new Promise((resolve, reject) => into.on('finish', resolve).on('error', reject).end(text))
    expect(await sum('restored')).toBe(old)
    await rm(directory, { recursive: true })
  })
})

describe('a policy that changes while it is in use', () => {
  it('another zone, then another interval, then back: every moment has one partition, none is dropped', async () => {
    const fleet = await server.fleet(`create table events (id int, at timestamptz not null) partition by range (at)`)
    await using connection = await connect(fleet)
    const from = new Date(Date.now() - 5 * 86_400_000).toISOString().slice(0, 10)
    const policies = [
      define({ every: 'day', zone: 'UTC', premake: 3, from, fillGaps: true }),
      define({ every: 'day', zone: 'Asia/Tokyo', premake: 5, fillGaps: true }),
      define({ every: 'week', zone: 'America/New_York', premake: 2, fillGaps: true }),
      define({ every: 'hour', zone: 'Asia/Kolkata', premake: 30, fillGaps: true }),
      define({ every: 'month', zone: 'Australia/Lord_Howe', premake: 1, fillGaps: true }),
      define({ every: 'day', zone: 'UTC', premake: 3, fillGaps: true }),
    ]
    let before: readonly string[] = []
    for (const policy of policies) {
      const report = await maintain(fleet, [policy])
      expect(report.tables[0]?.problems).toEqual([])
      expect(report.exitCode).toBe(0)
      const state = await inspectPartitions(connection, policy)
      expect(state.partitions.every((p, at, all) => at === 0 || p.lower === all[at - 1]?.upper)).toBe(true)
      const names = state.partitions.map(({ name }) => name)
      expect(names).toEqual(expect.arrayContaining([...before]))
      before = names
      expect((await maintain(fleet, [policy])).tables[0]?.outcome).toBe('nothing-to-do')
    }
  })

  it('a shorter retention removes no more at once than a run may', async () => {
    const fleet = await server.fleet(`create table events (id int, at timestamptz not null) partition by range (at)`)
    await maintain(fleet, [define({ from: '2024-01-01', fillGaps: true })])
    const strict = define({ retention: { keep: '1 month', then: 'drop', maxDropsPerRun: 5 } })
    for (const expected of [5, 5]) {
      const table = (await maintain(fleet, [strict])).tables[0]
      expect(table?.actions.filter(({ action }) => action.kind === 'retire')).toHaveLength(expected)
      expect(table?.problems.map(({ code }) => code)).toEqual(['PARTITION_DROP_CAP'])
    }
    const forced = (await maintain(fleet, [strict], { force: true })).tables[0]
    expect(forced?.problems).toEqual([])
    expect(forced?.figures?.partitions).toBeLessThanOrEqual(3)
  })
})
