import type { Fleet } from '@shardwright/core'
import { defineTopology } from '@shardwright/core'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type PlanNode, readPlan } from '../src/advisor/plans/read-plan.ts'
import type { ServerSettings } from '../src/advisor/settings/server-settings.ts'
import { settingRules } from '../src/advisor/settings/setting-rules.ts'
import {
  type AdviceReport,
  advise,
  createMonitor,
  readSystemFacts,
  type SystemFacts,
  standingOf,
} from '../src/index.ts'

const GB = 1024 ** 3

describe('on real servers', () => {
  let cluster: LocalCluster
  let fleet: Fleet
  let report: AdviceReport

  beforeAll(async () => {
    cluster = await startLocalCluster({
      shards: 2,
      databasePerShard: true,
      settings: { shared_preload_libraries: 'pg_stat_statements', autovacuum: false, shared_buffers: '32MB' },
    })
    fleet = cluster.fleet()
    for (const [at, shard] of fleet.shards.entries()) {
      await using connection = await shard.connect()
      await connection.script(`
        create extension pg_stat_statements;
        create table owners (id int primary key);
        insert into owners select generate_series(1, 5000);
        create table orders (user_id int not null, id int, owner int references owners, note text, primary key (user_id, id));
        insert into orders select n, n, n % 5000 + 1, repeat(n::text, 40) from generate_series(1, 40000) n;
        create index orders_note on orders (note);
        create index orders_user on orders (user_id);
        create index orders_note_again on orders (note);
        create unique index orders_id on orders (id);
        create index orders_id_again on orders (id);
        create index orders_partial on orders (note) where id > 10;
        create index orders_lower on orders (lower(note));
        create index orders_owner_desc on orders (owner desc) include (note) where false;
        create table visits (at date not null, owner int references owners, note text) partition by range (at);
        create table visits_2025 partition of visits for values from ('2025-01-01') to ('2026-01-01');
        create table visits_2026 partition of visits for values from ('2026-01-01') to ('2027-01-01');
        create index visits_note on visits (note);
        create index visits_note_again on visits (note);
        create index visits_lower on visits (lower(note));
        create index visits_upper on visits (upper(note));
        insert into visits select date '2025-06-01' + n % 400, n % 5000 + 1, repeat(md5(n::text), 8) from generate_series(1, 80000) n;
        analyze visits;`)
      // Read in one partition alone, which then gets an index of its own that is the same.
      await connection.query("select count(*) from visits where upper(note) = 'X' and at >= '2026-01-01'")
      await connection.query('create index visits_2026_upper_too on visits_2026 (upper(note))')
      await connection.query('vacuum analyze orders')
      await connection.query('analyze owners')
      await connection.query('set enable_nestloop = on')
      for (let turn = 0; turn < 6; turn++) {
        await connection.query('select count(*) from orders where owner = $1', [turn])
        await connection.query('select pg_sleep($1)', [0.22])
      }
      // Read on one shard only: in use.
      if (at === 0) await connection.query('select count(*) from orders where lower(note) = $1', ['x'])
      await connection.query('select pg_stat_force_next_flush()')
    }
    report = await advise({ fleet, machine: { memoryBytes: 64 * GB, cpus: 8 } })
  }, 120_000)
  afterAll(() => cluster?.stop())

  const about = (topic: string) => report.advice.filter((advice) => advice.topic === topic)

  it('names doubled indexes and which one can go, never the one a constraint or uniqueness needs', () => {
    expect(report.failures).toEqual([])
    const doubled = about('indexes').filter(
      ({ object, message }) => /is the (same|beginning)/.test(message) && /orders/.test(String(object)),
    )
    expect(doubled.map(({ object, message }) => [object, message.replace(/^the index \S+ /, '')])).toEqual([
      ['public.orders_id_again', 'is the same as public.orders_id'],
      ['public.orders_note_again', 'is the same as public.orders_note'],
      ['public.orders_user', 'is the beginning of public.orders_pkey, which can stand for it'],
    ])
    expect(doubled.every(({ shards }) => shards.length === 2)).toBe(true)
  })

  it('names a foreign key without an index: one that is partial does not count', () => {
    expect(about('indexes').filter(({ object }) => object === 'orders')).toMatchObject([
      { message: 'orders has no index for its foreign key orders_owner_fkey', shards: ['shard-1', 'shard-2'] },
    ])
  })

  it('calls an index unused only when no shard reads it', () => {
    const unused = about('indexes').filter(({ message }) => message.startsWith('nothing has read'))
    const names = unused.map(({ object }) => object)
    expect(names).toContain('public.orders_partial')
    // The planner reads one of the two; whoever followed this advice and the one above would lose both.
    expect(names.filter((name) => name.startsWith('public.orders_note'))).toEqual([])
    expect(names).not.toContain('public.orders_lower')
    expect(names).not.toContain('public.orders_pkey')
  })

  it('takes the indexes of partitions for one, that of the parent, which can be dropped as it says', async () => {
    const visits = about('indexes').filter(({ object }) => /visits/.test(String(object)))
    expect(visits.map(({ object, message, remedy }) => [object, message.replace(/ \([^)]*\)/, ''), remedy])).toEqual(
      expect.arrayContaining([
        [
          'public.visits_note_again',
          'the index public.visits_note_again is the same as public.visits_note',
          'DROP INDEX public.visits_note_again: every write pays for it.',
        ],
        [
          'visits',
          'visits has no index for its foreign key visits_owner_fkey',
          expect.stringContaining('partition policy'),
        ],
        [
          'public.visits_lower',
          'nothing has read the index public.visits_lower since the statistics began',
          'Drop it when that holds on every shard and replica.',
        ],
        [
          'public.visits_2026_upper_too',
          'the index public.visits_2026_upper_too is the same as public.visits_2026_upper_idx',
          'DROP INDEX CONCURRENTLY public.visits_2026_upper_too: every write pays for it.',
        ],
      ]),
    )
    expect(visits).toHaveLength(4)
    await using connection = await fleet.shards[0]!.connect()
    await connection.query('drop index public.visits_note_again')
  })

  it('lists statements that are slow over all shards, and plans that read a table whole', () => {
    const [slow] = about('statements')
    expect(slow?.message).toMatch(/^2\d\d ms on average, 12 times: select pg_sleep\(\$1\)$/)
    expect(slow?.shards).toEqual(['shard-1', 'shard-2'])
    expect(about('plans').find(({ object }) => object === 'public.orders')).toMatchObject({
      shards: ['shard-1', 'shard-2'],
      remedy: 'CREATE INDEX CONCURRENTLY ON public.orders (owner)',
      message: expect.stringContaining('select count(*) from orders where owner = $1'),
    })
  })

  it('holds settings against the machine', () => {
    const settings = about('settings')
    expect(settings.find(({ object }) => object === 'shared_buffers')).toMatchObject({
      message: "shared_buffers is 32MB, 0 % of the machine's 64GB",
      remedy: "shared_buffers = '16GB' (restart)",
      shards: ['shard-1', 'shard-2'],
    })
    expect(settings.map(({ object }) => object)).toContain('random_page_cost')
  })

  it('says what it could not see, and goes on with the other shard', async () => {
    const [healthy] = fleet.shards
    const dead = { ...fleet.shards[1]!, connect: () => Promise.reject(new Error('no route')) }
    const half = await advise({ fleet: { topologyId: 't', shards: [healthy!, dead] } })
    expect(half.failures.map(({ shard }) => shard)).toContain('shard-2')
    expect(half.advice.find(({ object }) => object === 'public.orders_user')?.shards).toEqual(['shard-1'])
  })

  it('finds the place on the ladder', async () => {
    const topology = defineTopology({ hash: 'postgres', ...cluster.topologyInput() })
    const round = await createMonitor({ fleet }).collect()
    const facts = await readSystemFacts({ fleet, topology, round, advice: report.advice })
    expect(facts).toMatchObject({ shards: 2, replicas: 0, pooler: false, citus: false, missingIndexes: 2 })
    expect(facts.readRatio).toBeGreaterThan(0)
    expect(facts.largestTable?.name).toMatch(/^(orders|visits_2025)$/)
    expect(standingOf(facts)).toMatchObject({ rung: 'shards', next: { rung: 'indexes', why: '2 indexes are missing' } })
  })
})

describe('plans', () => {
  const limits = {
    rowsOf: new Map([
      ['public.big', 1_000_000],
      ['public.small', 50],
    ]),
    largeRows: 10_000,
  }
  const scan = (relation: string, rows: number, filter?: string): PlanNode => ({
    'Node Type': 'Seq Scan',
    Schema: 'public',
    'Relation Name': relation,
    'Plan Rows': rows,
    ...(filter && { Filter: filter }),
  })
  const loop = (outer: PlanNode, inner: PlanNode): PlanNode => ({ 'Node Type': 'Nested Loop', Plans: [outer, inner] })

  it('a whole read for few rows, with the columns it compares', () => {
    expect(
      readPlan(scan('big', 10, '((big.owner = $1) AND (big.note ~~ $2) AND ((big.kind)::text = $3))'), limits),
    ).toEqual([{ kind: 'seq-scan', table: 'public.big', filter: expect.any(String), columns: ['owner', 'kind'] }])
  })

  it('is fine for most rows of a table, for a small one, and without a filter', () => {
    for (const plan of [
      scan('big', 900_000, '(big.kind = 1)'),
      scan('small', 1, '(small.id = 1)'),
      scan('big', 1_000_000),
    ]) {
      expect(readPlan(plan, limits)).toEqual([])
    }
  })

  it('a loop that reads a table whole for each row, also through further joins; not what is materialized', () => {
    const outer = { 'Node Type': 'Index Scan', 'Plan Rows': 5_000 }
    expect(readPlan(loop(outer, scan('big', 1, '(big.id = x.id)')), limits)).toEqual([
      { kind: 'nested-loop', table: 'public.big', outerRows: 5_000 },
    ])
    const deep = loop(outer, { 'Node Type': 'Hash Join', Plans: [scan('big', 1_000_000), { 'Node Type': 'Hash' }] })
    expect(readPlan(deep, limits)).toMatchObject([{ kind: 'nested-loop', outerRows: 5_000 }])
    expect(readPlan(loop(outer, { 'Node Type': 'Materialize', Plans: [scan('big', 1_000_000)] }), limits)).toEqual([])
    expect(readPlan(loop({ 'Node Type': 'Index Scan', 'Plan Rows': 3 }, scan('big', 1_000_000)), limits)).toEqual([])
  })
})

describe('settings', () => {
  const server = (values: Record<string, number>, more: Partial<ServerSettings> = {}): ServerSettings => ({
    values: new Map(Object.entries(values)),
    machine: { memoryBytes: 16 * GB, cpus: 4 },
    forcedCheckpoints: undefined,
    ...more,
  })
  const faults = (settings: ServerSettings) =>
    settingRules.flatMap((rule) => (rule.judge(settings) ? [`${rule.setting} ${rule.judge(settings)?.severity}`] : []))

  const good = {
    shared_buffers: 4 * GB,
    work_mem: 16 * 1024 ** 2,
    maintenance_work_mem: GB,
    effective_cache_size: 11 * GB,
    max_connections: 200,
    max_prepared_transactions: 100,
    random_page_cost: 1.1,
    checkpoint_timeout: 900_000,
    checkpoint_completion_target: 0.9,
    max_wal_size: 8 * GB,
    idle_in_transaction_session_timeout: 60_000,
  }

  it('a server that was set up has no fault, and every rule can find one', () => {
    expect(faults(server(good))).toEqual([])
    const bad: Record<keyof typeof good, number> = {
      shared_buffers: 14 * GB,
      work_mem: GB,
      maintenance_work_mem: 64 * 1024 ** 2,
      effective_cache_size: GB,
      max_connections: 1_000,
      max_prepared_transactions: 2,
      random_page_cost: 4,
      checkpoint_timeout: 30_000,
      checkpoint_completion_target: 0.5,
      max_wal_size: GB,
      idle_in_transaction_session_timeout: 0,
    }
    expect(new Set(faults(server(bad, { forcedCheckpoints: 0.8 })).map((fault) => fault.split(' ')[0]))).toEqual(
      new Set(Object.keys(bad)),
    )
  })

  it('judges nothing by a machine that is not known, nor by settings that the server does not have', () => {
    const small = { ...good, shared_buffers: 128 * 1024 ** 2, effective_cache_size: 0, work_mem: 100 * GB }
    expect(faults(server(small, { machine: undefined }))).toEqual([])
    expect(faults(server({}))).toEqual([])
  })

  it('a work_mem of an ordinary size is too much for many connections', () => {
    expect(faults(server({ ...good, work_mem: 128 * 1024 ** 2 }))).toEqual(['work_mem warning'])
  })
})

describe('the ladder', () => {
  const calm: SystemFacts = {
    shards: 1,
    replicas: 0,
    pooler: false,
    citus: false,
    ownCache: undefined,
    partitionedTables: 0,
    missingIndexes: 0,
    connectionsRatio: 0.1,
    cpuRatio: 0.2,
    readRatio: 0.9,
    cacheHitRatio: 0.99,
    largestTable: { name: 'orders', bytes: 1e9 },
    largestShardBytes: 5e9,
    scatterRatio: undefined,
  }
  const next = (facts: Partial<SystemFacts>) => standingOf({ ...calm, ...facts }).next?.rung

  it('asks for nothing while nothing presses', () =>
    expect(standingOf(calm)).toMatchObject({ rung: 'indexes', next: undefined }))

  it('takes the cheap step first, and each once', () => {
    expect(next({ missingIndexes: 2, connectionsRatio: 0.9 })).toBe('indexes')
    expect(next({ connectionsRatio: 0.9, cpuRatio: 0.9 })).toBe('pool')
    expect(next({ cpuRatio: 0.9 })).toBe('cache')
    expect(next({ cpuRatio: 0.9, ownCache: true })).toBe('replicas')
    expect(next({ cpuRatio: 0.9, ownCache: true, replicas: 1 })).toBeUndefined()
    expect(next({ largestTable: { name: 'orders', bytes: 9e10 } })).toBe('partitions')
    expect(next({ cpuRatio: 0.9, readRatio: 0.3 })).toBe('shards')
    expect(next({ cpuRatio: 0.9, readRatio: 0.3, shards: 4 })).toBe('shards')
    expect(next({ largestShardBytes: 9e11, shards: 4 })).toBe('shards')
    expect(next({ scatterRatio: 0.4, shards: 4 })).toBe('citus')
    expect(next({ scatterRatio: 0.4, shards: 4, citus: true })).toBeUndefined()
  })

  it('does not take what is not known for pressure', () => {
    expect(
      next({ connectionsRatio: undefined, cpuRatio: undefined, readRatio: undefined, cacheHitRatio: undefined }),
    ).toBe(undefined)
  })
})
