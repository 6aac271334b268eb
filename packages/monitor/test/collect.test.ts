import { type Fleet, noTelemetry, type Telemetry } from '@shardwright/core'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Alert, createMonitor, defaultMetrics, type MonitorRound, slowStatements } from '../src/index.ts'

let cluster: LocalCluster
let fleet: Fleet

beforeAll(async () => {
  cluster = await startLocalCluster({
    shards: 2,
    replicasPerShard: 1,
    databasePerShard: true,
    settings: { shared_preload_libraries: 'pg_stat_statements', autovacuum: false },
  })
  fleet = cluster.fleet()
}, 120_000)
afterAll(() => cluster?.stop())

const [first, second] = ['shard-1', 'shard-2']
const connect = (shard = 0) => fleet.shards[shard]!.connect()
const measured = (round: MonitorRound, metric: string, labels: Record<string, string>) =>
  round.samples.find(
    (sample) =>
      sample.metric === metric && Object.entries(labels).every(([name, value]) => sample.labels[name] === value),
  )?.value

/** Rounds until one fits, as the server's statistics come late. */
async function until(collect: () => Promise<MonitorRound>, fits: (round: MonitorRound) => boolean) {
  for (let left = 100; ; left--) {
    const round = await collect()
    if (fits(round)) return round
    if (left === 0) throw new Error(`no such round; the last: ${JSON.stringify(round.samples)}`)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

describe('collectors on real servers', () => {
  it('see connections, long transactions, waits for locks and prepared transactions, each on its own shard', async () => {
    const monitor = createMonitor({ fleet })
    await using holder = await connect()
    await using waiter = await connect()
    await using preparer = await connect()
    await holder.script('create table held (id int); insert into held values (1)')
    await holder.script('begin; update held set id = 2')
    const waiting = waiter.query('update held set id = 3')
    await preparer.script("begin; create table doubt (id int); prepare transaction 'monitor-test'")
    const round = await until(
      () => monitor.collect(),
      (seen) => measured(seen, 'sessions_waiting_for_locks', { shard: first }) === 1,
    )
    expect(round.failures).toEqual([])
    expect(measured(round, 'up', { shard: first })).toBe(1)
    expect(measured(round, 'connections_ratio', { shard: first })).toBeGreaterThan(3 / 200)
    expect(measured(round, 'connections_ratio', { shard: first })).toBeLessThan(0.5)
    expect(measured(round, 'longest_transaction_seconds', { shard: first })).toBeGreaterThan(0)
    expect(measured(round, 'longest_idle_in_transaction_seconds', { shard: first })).toBeGreaterThan(0)
    expect(measured(round, 'in_doubt_transactions', { shard: first })).toBe(1)
    expect(measured(round, 'oldest_in_doubt_seconds', { shard: first })).toBeGreaterThan(0)
    expect(measured(round, 'in_doubt_transactions', { shard: second })).toBe(0)
    expect(measured(round, 'sessions_waiting_for_locks', { shard: second })).toBe(0)
    await preparer.query("rollback prepared 'monitor-test'")
    await holder.query('rollback')
    await waiting
    const calm = await monitor.collect()
    expect(measured(calm, 'in_doubt_transactions', { shard: first })).toBe(0)
    expect(measured(calm, 'longest_lock_wait_seconds', { shard: first })).toBe(0)
  })

  it('tell growth, not totals: missing in the first round, and a ratio of this round after', async () => {
    const monitor = createMonitor({ fleet })
    const one = await monitor.collect()
    expect(measured(one, 'commits_per_second', { shard: first })).toBeUndefined()
    await using connection = await connect()
    for (let index = 0; index < 20; index++) await connection.query('select count(*) from pg_class')
    await connection.release()
    const two = await until(
      () => monitor.collect(),
      (round) => (measured(round, 'commits_per_second', { shard: first }) ?? 0) > 0,
    )
    const ratio = measured(two, 'cache_hit_ratio', { shard: first })
    expect(ratio).toBeGreaterThan(0)
    expect(ratio).toBeLessThanOrEqual(1)
  })

  it('estimate bloat: little in a table as written, most of it after a delete', async () => {
    await using connection = await connect()
    await connection.script(`
      create table bloated (id int, note text);
      insert into bloated select n, repeat('x', 50) from generate_series(1, 20000) n;
      analyze bloated;`)
    const monitor = createMonitor({ fleet })
    const table = { shard: first, table: 'public.bloated' }
    expect(measured(await monitor.collect(), 'bloat_estimate_ratio', table)).toBeLessThan(0.1)
    // The last row stays, or VACUUM would give the pages back.
    await connection.query('delete from bloated where id % 10 <> 0')
    await connection.query('vacuum analyze bloated')
    const round = await monitor.collect()
    expect(measured(round, 'bloat_estimate_ratio', table)).toBeGreaterThan(0.8)
    expect(measured(round, 'table_bytes', table)).toBeGreaterThan(20_000 * 50)
    expect(measured(round, 'database_bytes', { shard: first })).toBeGreaterThan(
      measured(round, 'table_bytes', table) ?? 0,
    )
  })

  it('wait for nobody: a table held in ACCESS EXCLUSIVE mode is told as last seen, the others exactly', async () => {
    await using holder = await connect()
    await holder.script(`
      create table taken (id int primary key, note text);
      insert into taken select n, repeat('x', 500) from generate_series(1, 10000) n`)
    await holder.query('vacuum analyze taken')
    await holder.script('begin; lock table taken in access exclusive mode')
    // One that waits for the lock would hold the measurement up as well.
    await using waiter = await connect()
    const waiting = waiter.query('alter table bloated add column more int')
    await using reader = await connect()
    await reader.script('begin; select count(*) from bloated')
    const started = performance.now()
    const round = await createMonitor({ fleet, budgetMs: 5_000 }).collect()
    expect(performance.now() - started).toBeLessThan(3_000)
    expect(round.failures).toEqual([])
    const taken = { shard: first, table: 'public.taken' }
    expect(measured(round, 'table_bytes', taken)).toBeGreaterThan(10_000 * 500)
    expect(measured(round, 'index_bytes', taken)).toBeGreaterThan(100_000)
    expect(measured(round, 'table_bytes', { shard: first, table: 'public.bloated' })).toBeGreaterThan(0)
    expect(measured(round, 'locks', { shard: first, mode: 'AccessExclusiveLock' })).toBeGreaterThanOrEqual(1)
    await holder.query('rollback')
    await reader.query('rollback')
    await waiting
  })

  it('see partitions ahead, the age of views, I/O, CPU and memory of the machine', async () => {
    await using connection = await connect()
    await connection.script(`
      create table growing (at timestamptz not null) partition by range (at);
      create table archived (at date not null) partition by range (at);
      create table archived_1 partition of archived for values from ('2001-01-01') to ('2002-01-01');
      create schema if not exists shardwright;
      create table shardwright.views (schema_name text, name text, refreshed_at timestamptz);
      insert into shardwright.views values ('public', 'fresh', now() - interval '90 seconds'), ('public', 'never', null);`)
    for (const [name, from, to] of [
      ['past', -2, 0],
      ['next', 1, 2],
      ['later', 2, 3],
    ] as const) {
      const day = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString()
      await connection.script(
        `create table growing_${name} partition of growing for values from ('${day(from)}') to ('${day(to)}')`,
      )
    }
    const monitor = createMonitor({ fleet })
    await monitor.collect()
    await connection.script(`
      create table written as select n, repeat('y', 200) as note from generate_series(1, 20000) n;
      checkpoint`)
    const round = await until(
      () => monitor.collect(),
      (seen) =>
        (measured(seen, 'wal_bytes_per_second', { shard: first }) ?? 0) > 0 &&
        measured(seen, 'cpu_ratio', { shard: first }) !== undefined,
    )
    expect(round.failures).toEqual([])
    expect(measured(round, 'partitions_ahead', { shard: first, table: 'public.growing' })).toBe(2)
    expect(measured(round, 'partitions_ahead', { shard: first, table: 'public.archived' })).toBeUndefined()
    expect(measured(round, 'view_age_seconds', { shard: first, view: 'public.fresh' })).toBeGreaterThan(89)
    expect(measured(round, 'view_age_seconds', { shard: first, view: 'public.never' })).toBeUndefined()
    expect(measured(round, 'written_bytes_per_second', { shard: first })).toBeGreaterThanOrEqual(0)
    expect(measured(round, 'cpu_ratio', { shard: first })).toBeLessThanOrEqual(1)
    expect(measured(round, 'memory_ratio', { shard: first })).toBeGreaterThan(0)
    expect(measured(round, 'memory_ratio', { shard: first })).toBeLessThan(1)
    const defined = new Set(defaultMetrics.map(({ name }) => name))
    expect([...new Set(round.samples.map(({ metric }) => metric))].filter((name) => !defined.has(name))).toEqual([])
    const points = monitor.history.points()
    expect(points.at(-1)?.values.connections_ratio).toBeGreaterThan(0)
    expect(points.at(-1)?.values['up.min']).toBe(1)
  })

  it('ask nothing that a role without rights may not: the machine is missing, nothing fails', async () => {
    await using connection = await connect()
    await connection.script(`
      do $$ begin
        if not exists (select from pg_roles where rolname = 'watcher') then create role watcher; end if;
      end $$;
      grant pg_monitor to watcher; grant usage on schema shardwright to watcher;
      grant select on shardwright.views to watcher`)
    const watched = fleet.shards.map((shard) => ({
      ...shard,
      connect: async () => {
        const own = await shard.connect()
        await own.query('set role watcher')
        return own
      },
    }))
    const round = await createMonitor({ fleet: { topologyId: 't', shards: [watched[0]!] } }).collect()
    expect(round.failures).toEqual([])
    expect(measured(round, 'memory_ratio', { shard: first })).toBeUndefined()
    expect(measured(round, 'connections_ratio', { shard: first })).toBeGreaterThan(0)
  })

  it('list slow statements with their constants taken out, and nothing of other commands', async () => {
    await using connection = await connect(1)
    await expect(slowStatements(connection)).rejects.toMatchObject({ code: 'STATEMENTS_UNAVAILABLE' })
    await connection.script('create extension pg_stat_statements')
    await connection.script("select 'needle', pg_sleep(0.2)")
    await connection.script("do $$ begin perform 'secret-needle'; end $$")
    const statements = await slowStatements(connection)
    const slow = statements.find(({ text }) => text.includes('pg_sleep'))
    expect(slow).toMatchObject({ shard: second, calls: 1, rows: 1 })
    expect(slow?.meanMs).toBeGreaterThan(150)
    expect(JSON.stringify(statements)).not.toContain('needle')
  })

  it('see a replica fall behind while it does not replay, and come back', async () => {
    const monitor = createMonitor({ fleet })
    const replica = cluster.shards[0]!.replicas[0]!
    const behind = (round: MonitorRound, metric: string) =>
      round.samples.find((sample) => sample.metric === metric && sample.labels.shard === first)?.value
    const before = await until(
      () => monitor.collect(),
      (round) => behind(round, 'replication_lag_bytes') === 0,
    )
    expect(measured(before, 'replicas', { shard: first })).toBe(1)
    expect(behind(before, 'replication_lag_seconds')).toBe(0)
    await replica.pause()
    try {
      await using connection = await connect()
      await connection.query('create table behind as select generate_series(1, 1000) as id')
      await monitor.collect()
      const late = await until(
        () => monitor.collect(),
        (round) => (behind(round, 'replication_lag_seconds') ?? 0) > 1,
      )
      expect(behind(late, 'replication_lag_bytes')).toBeGreaterThan(0)
    } finally {
      await replica.resume()
    }
    await until(
      () => monitor.collect(),
      (round) => behind(round, 'replication_lag_bytes') === 0 && behind(round, 'replication_lag_seconds') === 0,
    )
  })

  it('lose one shard: it is down, its other metrics are missing and exported as NaN, the rest goes on', async () => {
    const gauges = new Map<string, number>()
    const telemetry: Telemetry = {
      ...noTelemetry,
      gauge: (name, value, labels) => gauges.set(`${name} ${labels?.shard}`, value),
    }
    const [healthy, other] = fleet.shards
    let broken = false
    const cut = {
      ...other!,
      connect: () => (broken ? Promise.reject(new Error('no route')) : other!.connect()),
    }
    const told: Alert[] = []
    const metrics = defaultMetrics.map((metric) => ({
      ...metric,
      limits: metric.limits && { ...metric.limits, forMs: 0, clearMs: 0 },
    }))
    const monitor = createMonitor({
      fleet: { topologyId: 't', shards: [healthy!, cut] },
      metrics,
      telemetry,
      alerts: [
        {
          tell: () => {
            throw new Error('a port that fails does not keep the next from being told')
          },
        },
        { tell: (alert) => void told.push(alert) },
      ],
    })
    await monitor.collect()
    expect(gauges.get(`shardwright.monitor.connections_ratio ${second}`)).toBeGreaterThan(0)
    broken = true
    const round = await monitor.collect()
    expect(round.failures).toMatchObject([{ shard: second, collector: 'connect', error: { code: 'COLLECTOR_FAILED' } }])
    expect(measured(round, 'up', { shard: first })).toBe(1)
    expect(measured(round, 'up', { shard: second })).toBe(0)
    expect(gauges.get(`shardwright.monitor.connections_ratio ${second}`)).toBeNaN()
    expect(gauges.get(`shardwright.monitor.connections_ratio ${first}`)).toBeGreaterThan(0)
    const down = told.filter(({ metric }) => metric === 'up')
    expect(down).toMatchObject([{ subject: second, level: 'critical', value: 0 }])
    broken = false
    await monitor.collect()
    expect(told.filter(({ metric }) => metric === 'up').map(({ level }) => level)).toEqual(['critical', 'ok'])
  })

  it('one collector that fails leaves the others', async () => {
    const failing = { name: 'failing', collect: async () => Promise.reject(new Error('broken view')) }
    const fine = { name: 'fine', collect: async () => [{ metric: 'fine', labels: { shard: first }, value: 1 }] }
    const round = await createMonitor({ fleet, collectors: [failing, fine] }).collect()
    expect(round.failures.map(({ collector }) => collector)).toEqual(['failing', 'failing'])
    expect(measured(round, 'fine', { shard: first })).toBe(1)
  })

  it('runs until it is stopped', async () => {
    const rounds: number[] = []
    const { promise: thrice, resolve } = Promise.withResolvers<void>()
    const counting = {
      name: 'counting',
      collect: async () => {
        if (rounds.push(1) === 6) resolve()
        return []
      },
    }
    const monitor = createMonitor({ fleet, collectors: [counting], everyMs: 1 })
    monitor.start()
    await thrice
    await monitor.stop()
    const seen = rounds.length
    await new Promise((done) => setTimeout(done, 100))
    expect(rounds.length).toBe(seen)
  })
})
