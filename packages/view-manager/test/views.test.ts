import { describe, expect, it } from 'vitest'
import { createViewManager, defineView, type View } from '../src/index.ts'
import { connect, rowsOf, until, useServer, withDeadShard } from './support/databases.ts'
import { monthly, type Spending, spendingSql, totals } from './support/spending.ts'

const server = useServer()
const views = [totals, monthly]
const outcomes = (reports: readonly { view: string; outcome: string }[]) =>
  Object.fromEntries(reports.map(({ view, outcome }) => [view, outcome]))

describe('install and refresh', () => {
  it('creates on every shard, refreshes first plain, then concurrently, in order', async () => {
    const fleet = await server.fleet(spendingSql, 2)
    const manager = createViewManager({ fleet, views })
    const installed = await manager.install()
    expect(installed.map(({ view, shard, outcome }) => [view, shard, outcome])).toEqual([
      ['monthly', 's1', 'created'],
      ['totals', 's1', 'created'],
      ['monthly', 's2', 'created'],
      ['totals', 's2', 'created'],
    ])
    await expect(rowsOf(fleet, 'select * from monthly')).rejects.toThrow(/has not been populated/)
    expect(await manager.oldestRefreshedAt('monthly')).toBeUndefined()

    const first = await manager.refresh()
    expect(first.map(({ view, mode }) => [view, mode])).toEqual([
      ['monthly', 'plain'],
      ['totals', 'plain'],
      ['monthly', 'plain'],
      ['totals', 'plain'],
    ])
    const direct = 'select user_id, sum(amount) as total from transactions group by 1 order by 1'
    const oldest = await manager.oldestRefreshedAt('totals')
    await using connection = await connect(fleet)
    await connection.query("insert into transactions (user_id, id, category, amount) values ('u9', 1, 'new', 0.10)")
    const second = await manager.refresh()
    expect(new Set(second.map(({ mode }) => mode))).toEqual(new Set(['concurrently']))
    expect(await rowsOf(fleet, 'select * from totals order by 1')).toEqual(await rowsOf(fleet, direct))
    const younger = await manager.oldestRefreshedAt('totals')
    expect(younger?.getTime()).toBeGreaterThan(oldest?.getTime() ?? Number.POSITIVE_INFINITY)
    expect(outcomes(await manager.install())).toEqual({ monthly: 'unchanged', totals: 'unchanged' })
  })

  it('says that a view is not installed', async () => {
    const fleet = await server.fleet(spendingSql)
    const [report] = await createViewManager({ fleet, views: [monthly] }).refresh()
    expect(report).toMatchObject({ outcome: 'failed', failure: { code: 'VIEW_NOT_INSTALLED' } })
  })

  it('refuses CONCURRENTLY without a usable unique index, skips the children, keeps the data; install mends it', async () => {
    const fleet = await server.fleet(spendingSql)
    const manager = createViewManager({ fleet, views })
    await manager.install()
    await manager.refresh()
    const [index] = await rowsOf<{ name: string }>(
      fleet,
      "select indexname as name from pg_indexes where tablename = 'monthly'",
    )
    await rowsOf(fleet, `drop index "${index?.name}"`)
    // Unique, but of half the rows: CONCURRENTLY cannot use it.
    await rowsOf(fleet, "create unique index partial on monthly (user_id, category) where user_id > 'u2'")
    const before = await rowsOf(fleet, 'select * from totals order by 1')
    await rowsOf(fleet, 'delete from transactions')
    const reports = await manager.refresh()
    expect(reports[0]).toMatchObject({ outcome: 'failed', failure: { code: 'VIEW_UNIQUE_INDEX_UNUSABLE' } })
    expect(reports[1]).toMatchObject({ outcome: 'skipped', failure: { code: 'VIEW_PARENT_FAILED' } })
    expect(await rowsOf(fleet, 'select * from totals order by 1')).toEqual(before)
    expect((await manager.status())[0]?.failure).toMatch(/no valid unique index/)
    expect(outcomes(await manager.install())).toEqual({ monthly: 'index-built', totals: 'unchanged' })
    expect(outcomes(await manager.refresh())).toEqual({ monthly: 'refreshed', totals: 'refreshed' })
    expect(await rowsOf(fleet, 'select * from totals')).toEqual([])
  })

  it('keeps old data when rows are not unique, and when the budget runs out', async () => {
    const fleet = await server.fleet(`${spendingSql} create table pace (seconds float8); insert into pace values (0)`)
    const slow = defineView<{
      totals: { user_id: string }
      transactions: { user_id: string }
      pace: { seconds: number }
    }>()({
      name: 'totals',
      query: (db) =>
        db
          .selectFrom('transactions')
          .innerJoin('pace', (join) => join.on((eb) => eb(eb.fn('pg_sleep', ['seconds']), 'is not', null)))
          .where('user_id', '=', 'u1')
          .select('user_id')
          .limit(1),
      uniqueOn: ['user_id'],
      refresh: { budgetMs: 1500 },
    })
    const one: View = { ...slow, name: 'single', sql: "select 'x' as user_id from pace" }
    const manager = createViewManager({ fleet, views: [slow, one] })
    await manager.install()
    expect(outcomes(await manager.refresh())).toEqual({ totals: 'refreshed', single: 'refreshed' })
    await rowsOf(fleet, 'update pace set seconds = 60')
    await rowsOf(fleet, 'insert into pace values (60)')
    const reports = await manager.refresh()
    expect(reports[0]).toMatchObject({ outcome: 'failed', failure: { code: 'VIEW_REFRESH_FAILED', sqlState: '57014' } })
    expect(reports[1]).toMatchObject({ outcome: 'failed' })
    expect(await rowsOf(fleet, 'select * from totals')).toEqual([{ user_id: 'u1' }])
    expect(await rowsOf(fleet, 'select * from single')).toEqual([{ user_id: 'x' }])
  })

  it('of two refreshers one works, the other skips', async () => {
    const fleet = await server.fleet(spendingSql)
    const manager = createViewManager({ fleet, views: [monthly] })
    await manager.install()
    await manager.refresh()
    // A refresh by hand, not committed, holds the first refresher in the middle of its own.
    await using blocker = await connect(fleet)
    await blocker.script('begin; refresh materialized view concurrently monthly')
    const first = manager.refresh()
    await until(
      async () =>
        (await rowsOf(fleet, "select 1 from pg_stat_activity where query like 'refresh%' and wait_event_type = 'Lock'"))
          .length === 1,
    )
    const second = await createViewManager({ fleet, views: [monthly] }).refresh()
    await blocker.script('commit')
    expect(second.map(({ outcome }) => outcome)).toEqual(['busy'])
    expect((await first).map(({ outcome }) => outcome)).toEqual(['refreshed'])
  })

  it('goes on without a shard that is down', async () => {
    const fleet = await server.fleet(spendingSql)
    await createViewManager({ fleet, views }).install()
    const manager = createViewManager({ fleet: withDeadShard(fleet), views })
    const reports = await manager.refresh()
    expect(reports.map(({ shard, outcome }) => [shard, outcome])).toEqual([
      ['s1', 'refreshed'],
      ['s1', 'refreshed'],
      ['dead', 'failed'],
      ['dead', 'failed'],
    ])
    expect(reports[3]?.failure?.code).toBe('SHARD_UNREACHABLE')
    expect(await manager.oldestRefreshedAt('monthly')).toBeUndefined()
    await expect(manager.install()).rejects.toMatchObject({ code: 'SHARD_UNREACHABLE' })
  })
})

describe('a changed definition', () => {
  const changed = defineView<Spending>()({
    name: 'monthly',
    query: (db) =>
      db
        .selectFrom('transactions')
        .groupBy(['user_id', 'category'])
        .select((eb) => [
          'user_id',
          'category',
          eb(eb.fn.sum<string>('amount'), '*', '2').as('total'),
          eb.fn.countAll<string>().as('number'),
        ]),
    uniqueOn: ['user_id', 'category'],
    indexes: [['category']],
  })

  it('is built beside and swapped under readers, its dependents with it, grants and owner kept', async () => {
    const role = `reader_${process.pid}`
    const fleet = await server.fleet(`${spendingSql} create role ${role}`)
    await createViewManager({ fleet, views }).install()
    await createViewManager({ fleet, views }).refresh()
    await rowsOf(fleet, `grant select on monthly to ${role}`)
    const single = await rowsOf<{ total: string }>(fleet, 'select total::text from totals order by user_id')

    let reading = true
    const seen = new Set<string>()
    const reader = (async () => {
      await using connection = await connect(fleet)
      while (reading) {
        const { rows } = await connection.query<{ both: string }>(
          `select (select sum(total) from monthly)::text || ' ' || (select sum(total) from totals)::text as both`,
        )
        seen.add(rows[0]?.both ?? 'no rows')
      }
    })()
    const reports = await createViewManager({ fleet, views: [totals, changed] }).install()
    expect(outcomes(reports)).toEqual({ monthly: 'replaced', totals: 'replaced' })
    await Promise.race([reader, until(async () => seen.size > 1)])
    reading = false
    await reader
    expect([...seen]).toEqual(['1830.00 1830.00', '3660.00 3660.00'])
    const double = await rowsOf<{ total: string }>(fleet, 'select total::text from totals order by user_id')
    expect(double.map(({ total }) => Number(total))).toEqual(single.map(({ total }) => Number(total) * 2))
    expect(await rowsOf(fleet, `select has_table_privilege('${role}', 'monthly', 'select') as may`)).toEqual([
      { may: true },
    ])
    expect(await rowsOf(fleet, "select 1 from pg_namespace where nspname = 'shardwright_build'")).toEqual([])
    expect(await rowsOf(fleet, "select indexname from pg_indexes where tablename = 'monthly'")).toHaveLength(2)
    expect(outcomes(await createViewManager({ fleet, views: [totals, changed] }).refresh())).toEqual({
      monthly: 'refreshed',
      totals: 'refreshed',
    })
  })

  it('is refused while something unknown reads the old one, which stays', async () => {
    const fleet = await server.fleet(spendingSql)
    await createViewManager({ fleet, views: [monthly] }).install()
    await createViewManager({ fleet, views: [monthly] }).refresh()
    await rowsOf(fleet, 'create view by_hand as select * from monthly')
    const install = createViewManager({ fleet, views: [changed] }).install()
    await expect(install).rejects.toMatchObject({ code: 'VIEW_REFERENCED' })
    expect(await rowsOf(fleet, 'select sum(total)::text as total from by_hand')).toEqual([{ total: '1830.00' }])
    expect(await rowsOf(fleet, "select 1 from pg_namespace where nspname = 'shardwright_build'")).toEqual([])
  })

  it('does not replace a table of the same name', async () => {
    const fleet = await server.fleet(`${spendingSql} create table monthly (precious text)`)
    const install = createViewManager({ fleet, views: [monthly] }).install()
    await expect(install).rejects.toMatchObject({ code: 'VIEW_NAME_TAKEN' })
  })

  it('clears what a killed installer left, and waits for a refresh only so long', async () => {
    const fleet = await server.fleet(
      `${spendingSql} create schema shardwright_build; create materialized view shardwright_build.monthly as select 1 as half`,
    )
    await createViewManager({ fleet, views: [monthly] }).install()
    await using refresher = await connect(fleet)
    await refresher.query("select pg_advisory_lock(hashtextextended('shardwright.view:public.monthly', 11))")
    const install = createViewManager({ fleet, views: [changed], lockWaitMs: 150 }).install()
    await expect(install).rejects.toMatchObject({ code: 'VIEW_BUSY', details: { shard: 's1' } })
    const patient = createViewManager({ fleet, views: [changed] }).install()
    await refresher.release()
    expect(outcomes(await patient)).toEqual({ monthly: 'replaced' })
  })

  it('two installers at once do it once', async () => {
    const fleet = await server.fleet(spendingSql)
    const both = await Promise.all([1, 2].map(() => createViewManager({ fleet, views }).install()))
    expect(both.map(outcomes)).toContainEqual({ monthly: 'created', totals: 'created' })
    expect(both.map(outcomes)).toContainEqual({ monthly: 'unchanged', totals: 'unchanged' })
  })
})
