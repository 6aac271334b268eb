// What goes wrong around views: age through parents, odd names, retention and readers at the wrong moment, new shards.
import { type Clock, systemClock } from '@shardwright/core'
import { describe, expect, it } from 'vitest'
import { delayOf, parseSchedule } from '../src/definition/schedule.ts'
import { createViewManager, defineRollup, defineView, type RefreshReport } from '../src/index.ts'
import { connect, rowsOf, until, useServer } from './support/databases.ts'
import { monthly, spendingSql, totals } from './support/spending.ts'

const server = useServer()
const views = [totals, monthly]

describe('the age of a view', () => {
  it('is that of the oldest view it reads, however young itself, and goes with the view through a new definition', async () => {
    const fleet = await server.fleet(spendingSql)
    const manager = createViewManager({ fleet, views })
    await manager.install()
    await manager.refresh()
    const before = await manager.oldestRefreshedAt('monthly')
    await rowsOf(fleet, "insert into transactions (user_id, id, category, amount) values ('late', 1, 'c', 1)")
    const [report] = await manager.refresh({ views: ['totals'] })
    expect(await rowsOf(fleet, "select 1 from totals where user_id = 'late'")).toEqual([])
    expect(await manager.oldestRefreshedAt('totals')).toEqual(before)
    expect(report?.asOf).toEqual(before)
    expect(report?.refreshedAt?.getTime()).toBeGreaterThan(before?.getTime() ?? Number.POSITIVE_INFINITY)
    const rebuilt = { ...totals, sql: `${totals.sql} limit all`, hash: 'another' }
    await createViewManager({ fleet, views: [rebuilt, monthly] }).install()
    expect(await createViewManager({ fleet, views: [rebuilt, monthly] }).oldestRefreshedAt('totals')).toEqual(before)
    await manager.refresh({ views: ['monthly'] })
    // The parent is younger now, the child's rows are not.
    expect(await manager.oldestRefreshedAt('totals')).toEqual(before)
    await manager.install()
    await manager.refresh()
    expect((await manager.oldestRefreshedAt('totals'))?.getTime()).toBeGreaterThan(before?.getTime() ?? 0)
  })

  it('of a registry from before is mended by install()', async () => {
    const fleet = await server.fleet(spendingSql)
    const manager = createViewManager({ fleet, views })
    await manager.install()
    await manager.refresh()
    await rowsOf(fleet, 'alter table shardwright.views drop column as_of')
    expect(await manager.oldestRefreshedAt('totals')).toBeInstanceOf(Date)
    await manager.install()
    expect((await manager.refresh()).map(({ outcome }) => outcome)).toEqual(['refreshed', 'refreshed'])
  })
})

describe('names and schemas', () => {
  it('quotes what has to be quoted, in a schema of its own that reads tables of the search path', async () => {
    interface Odd {
      'Trans "actions': { 'User Id': string; 'a.b': string }
      'Mönthly "x"': { 'User Id': string; 'a.b': string }
    }
    const fleet = await server.fleet(
      `create schema "Odd schema"; create table "Trans ""actions" ("User Id" text primary key, "a.b" text);
       insert into "Trans ""actions" values ('u1', 'x'), ('u2', null)`,
    )
    const odd = defineView<Odd>()({
      name: 'Mönthly "x"',
      schema: 'Odd schema',
      query: (db) => db.selectFrom('Trans "actions').selectAll(),
      uniqueOn: ['User Id'],
      indexes: [['a.b', 'User Id']],
    })
    const manager = createViewManager({ fleet, views: [odd] })
    await manager.install()
    await manager.refresh()
    expect((await manager.refresh())[0]).toMatchObject({ outcome: 'refreshed', mode: 'concurrently' })
    const changed = createViewManager({ fleet, views: [{ ...odd, hash: 'changed' }] })
    expect((await changed.install())[0]?.outcome).toBe('replaced')
    expect((await changed.refresh())[0]?.mode).toBe('concurrently')
    expect(await rowsOf(fleet, 'select * from "Odd schema"."Mönthly ""x""" order by 1')).toEqual([
      { 'User Id': 'u1', 'a.b': 'x' },
      { 'User Id': 'u2', 'a.b': null },
    ])
  })

  it('two views whose names begin alike, of the same query, have an index each', async () => {
    const fleet = await server.fleet(spendingSql)
    const twins = ['a', 'b'].map((end) => ({ ...monthly, name: `${'漢'.repeat(18)}${end}` }))
    const manager = createViewManager({ fleet, views: twins })
    await manager.install()
    await manager.refresh()
    expect((await manager.refresh()).map(({ mode }) => mode)).toEqual(['concurrently', 'concurrently'])
  })
})

describe('a changed definition', () => {
  it('keeps grants on columns, has statistics from the first moment, and is not blamed for a failure of the old one', async () => {
    const role = `column_reader_${process.pid}`
    const fleet = await server.fleet(`${spendingSql} create role ${role}`)
    const manager = createViewManager({ fleet, views: [monthly] })
    await manager.install()
    await manager.refresh()
    await rowsOf(fleet, `grant select (user_id) on monthly to ${role}`)
    await rowsOf(fleet, "update shardwright.views set failed_at = now(), failure = 'of the old one'")
    await rowsOf(fleet, 'analyze transactions')
    const changed = { ...monthly, sql: `${monthly.sql} having count(*) > 0`, hash: 'changed' }
    const again = createViewManager({ fleet, views: [changed] })
    await again.install()
    expect((await again.status())[0]).toMatchObject({ failure: undefined, current: true })
    expect(
      await rowsOf(
        fleet,
        `select has_column_privilege('${role}', 'monthly', 'user_id', 'select') as may,
           has_column_privilege('${role}', 'monthly', 'total', 'select') as more,
           (select reltuples::int from pg_class where oid = 'monthly'::regclass) as rows`,
      ),
    ).toEqual([{ may: true, more: false, rows: 15 }])
  })

  it('whose rows are not unique is refused, and the old view stays', async () => {
    const fleet = await server.fleet(spendingSql)
    const manager = createViewManager({ fleet, views })
    await manager.install()
    await manager.refresh()
    const doubled = { ...monthly, sql: `${monthly.sql} union all ${monthly.sql}`, hash: 'doubled' }
    const install = createViewManager({ fleet, views: [totals, doubled] }).install()
    await expect(install).rejects.toMatchObject({ code: 'VIEW_NOT_UNIQUE' })
    expect(await rowsOf(fleet, 'select count(*)::int as rows from monthly')).toEqual([{ rows: 15 }])
    expect((await manager.refresh()).map(({ outcome }) => outcome)).toEqual(['refreshed', 'refreshed'])
    expect(await rowsOf(fleet, "select 1 from pg_namespace where nspname = 'shardwright_build'")).toEqual([])
  })
})

describe('an empty view', () => {
  it('is refreshed, read and fills up like any other', async () => {
    const fleet = await server.fleet(`${spendingSql} truncate transactions`, 2)
    const manager = createViewManager({ fleet, views })
    await manager.install()
    await manager.refresh()
    expect((await manager.refresh()).every(({ mode }) => mode === 'concurrently')).toBe(true)
    expect(await rowsOf(fleet, 'select * from totals')).toEqual([])
    expect(await manager.oldestRefreshedAt('totals')).toBeInstanceOf(Date)
    await rowsOf(fleet, "insert into transactions (user_id, id, category, amount) values ('a', 1, 'c', 1)", 1)
    await manager.refresh()
    expect(await rowsOf(fleet, 'select user_id from totals', 1)).toEqual([{ user_id: 'a' }])
  })
})

describe('schedules', () => {
  it('a view that a new shard lacks does not make the others due again and again', async () => {
    const fleet = await server.fleet(spendingSql, 2)
    const daily = { ...monthly, refresh: { ...monthly.refresh, every: { everyMs: 86_400_000 } } }
    const [first, second] = fleet.shards
    const old = { topologyId: fleet.topologyId, shards: [first!] }
    await createViewManager({ fleet: old, views: [daily] }).install()
    let sleeps = 0
    const clock: Clock = {
      ...systemClock,
      sleep: (delayMs, options) => {
        sleeps++
        return systemClock.sleep(Math.min(delayMs, 30), options)
      },
    }
    const runs: (readonly RefreshReport[])[] = []
    const onReport = (reports: readonly RefreshReport[]) => void runs.push(reports)
    const grown = createViewManager({ fleet, views: [daily], clock, jitterMs: 0, onReport })
    await using schedule = grown.start()
    await until(async () => runs.length === 1 && sleeps > 15)
    expect(runs).toHaveLength(1)
    expect(runs[0]?.map(({ shard, outcome, failure }) => [shard, outcome, failure?.code])).toEqual([
      [first!.id, 'refreshed', undefined],
      [second!.id, 'failed', 'VIEW_NOT_INSTALLED'],
    ])
    await grown.install()
    await until(async () => runs.length === 2)
    expect(runs[1]?.map(({ outcome }) => outcome)).toEqual(['refreshed', 'refreshed'])
    await schedule.stop()
  })

  it.each([
    ['30 2 * * *', 'Europe/Brussels'],
    ['0 0 * * *', 'America/Sao_Paulo'],
    ['15 1 * * *', 'America/New_York'],
    ['0 2 * * *', 'Australia/Lord_Howe'],
    ['30 2 * * *', 'Africa/Cairo'],
  ])('cron %s in %s runs once a day, through the days when the clocks change', (cron, zone) => {
    const schedule = parseSchedule(cron, zone)
    const days = new Intl.DateTimeFormat('en-CA', { timeZone: zone, dateStyle: 'short' })
    const seen = new Map<string, number>()
    let now = Date.UTC(2026, 0, 1)
    for (let run = 0; run < 365; run++) {
      // As the loop does: it looks again some seconds after the run.
      now += delayOf(schedule, now)
      seen.set(days.format(now), (seen.get(days.format(now)) ?? 0) + 1)
      now += 17_000
    }
    expect([...seen].filter(([, runs]) => runs !== 1)).toEqual([])
    expect(seen.size).toBe(365)
  })
})

describe('a rollup under retention', () => {
  interface Database {
    payments: { user_id: string; amount: string; at: Date }
    per_day: { bucket: Date; user_id: string; total: string }
  }
  const perDay = defineRollup<Database>()({
    name: 'per_day',
    source: 'payments',
    time: 'at',
    bucket: 'day',
    keys: ['user_id'],
    measures: { total: { sum: 'amount' } },
  })
  const sql = `
    create table payments (user_id text, amount numeric, at timestamptz not null) partition by range (at);
    create table payments_1 partition of payments for values from ('2026-01-01') to ('2026-02-01');
    create table payments_2 partition of payments for values from ('2026-02-01') to ('2026-03-01');
    insert into payments select 'a', 1, timestamptz '2026-01-01 12:00' + n * interval '1 day' from generate_series(0, 57) n;`

  it.each(['drop table payments_1', 'alter table payments detach partition payments_1'])(
    '%s in the middle of a refresh waits for it, and no bucket is lost',
    async (retention) => {
      const fleet = await server.fleet(sql)
      const manager = createViewManager({ fleet, rollups: [perDay] })
      await manager.install()
      await manager.refresh()
      await rowsOf(fleet, 'update payments set amount = amount + 1')
      // Somebody holds the summary's registry row: the refresh waits in its middle.
      await using blocker = await connect(fleet)
      await blocker.script("begin; select 1 from shardwright.views where name = 'per_day' for update")
      const refreshing = manager.refresh()
      await until(
        async () =>
          (
            await rowsOf(
              fleet,
              "select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%shardwright.views%'",
            )
          ).length > 0,
      )
      const retiring = rowsOf(fleet, retention)
      await until(
        async () =>
          (
            await rowsOf(
              fleet,
              `select 1 from pg_stat_activity where wait_event_type = 'Lock' and query = '${retention}'`,
            )
          ).length > 0,
      )
      await blocker.script('commit')
      expect((await refreshing)[0]).toMatchObject({ outcome: 'refreshed', buckets: 58, frozenBuckets: 0 })
      await retiring
      const history = await rowsOf(fleet, 'select bucket, total::text from per_day order by 1')
      expect(history).toHaveLength(58)
      expect(new Set(history.map(({ total }) => total))).toEqual(new Set(['2']))
      await rowsOf(fleet, "delete from payments where at < '2026-02-10'")
      expect((await manager.refresh())[0]).toMatchObject({ outcome: 'refreshed', frozenBuckets: 0 })
      expect(await rowsOf(fleet, 'select count(*)::int as buckets from per_day')).toEqual([{ buckets: 31 + 18 }])
    },
  )
})
