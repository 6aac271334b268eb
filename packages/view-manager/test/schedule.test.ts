import { type Clock, type Fleet, ManualClock, systemClock } from '@shardwright/core'
import { describe, expect, it } from 'vitest'
import { delayOf, parseSchedule } from '../src/definition/schedule.ts'
import { createViewManager, type RefreshReport, type View } from '../src/index.ts'
import { rowsOf, until, useServer, withDeadShard } from './support/databases.ts'
import { monthly, spendingSql, totals } from './support/spending.ts'

const server = useServer()
const often: View['refresh'] = { ...monthly.refresh, every: { everyMs: 500 } }
const scheduled = [
  { ...monthly, refresh: often },
  { ...totals, refresh: often },
]

async function indexOf(fleet: Fleet): Promise<string> {
  const rows = await rowsOf<{ name: string }>(
    fleet,
    "select indexname as name from pg_indexes where tablename = 'monthly'",
  )
  return rows[0]?.name ?? ''
}

describe('schedules', () => {
  it('reads durations and cron expressions in their zone', () => {
    const noon = Date.UTC(2026, 5, 1, 12)
    expect(delayOf(parseSchedule('90 seconds', 'UTC'), noon)).toBe(90_000)
    expect(delayOf(parseSchedule('0 3 * * *', 'Europe/Brussels'), noon)).toBe(13 * 3_600_000)
    expect(delayOf(parseSchedule('0 0 1 1 *', 'UTC'), noon)).toBe(Date.UTC(2027, 0, 1) - noon)
  })

  it('of several processes one refreshes, parents first; when it goes, another follows', async () => {
    const fleet = await server.fleet(spendingSql)
    await createViewManager({ fleet, views: scheduled }).install()
    const runs: [process: number, reports: readonly RefreshReport[]][] = []
    const schedules = [0, 1].map((at) =>
      createViewManager({
        fleet: withDeadShard(fleet),
        views: scheduled,
        jitterMs: 100,
        onReport: (reports) => void runs.push([at, reports]),
      }).start(),
    )
    await until(async () => runs.length >= 3)
    const [first] = runs
    expect(first?.[1].map(({ view, outcome }) => [view, outcome])).toEqual([
      ['monthly', 'refreshed'],
      ['totals', 'refreshed'],
      ['monthly', 'failed'],
      ['totals', 'failed'],
    ])
    const leader = first?.[0] === 0 ? 0 : 1
    expect(new Set(runs.map(([process]) => process))).toEqual(new Set([leader]))
    expect(schedules.map(({ leads }) => leads)).toEqual([leader === 0, leader === 1])
    await schedules[leader]?.stop()
    const before = runs.length
    await until(async () => runs.length > before)
    expect(runs.slice(before).every(([process]) => process === 1 - leader)).toBe(true)
    await Promise.all(schedules.map((schedule) => schedule.stop()))
  })

  it('goes by the age in the database: due at once when never refreshed, or when the last time is long ago', async () => {
    const fleet = await server.fleet(spendingSql)
    const views = [{ ...monthly, refresh: { ...monthly.refresh, every: { everyMs: 86_400_000 } } }]
    let runs = 0
    const sleeps: number[] = []
    const clock: Clock = {
      ...systemClock,
      sleep: (delayMs, options) => {
        sleeps.push(delayMs)
        return systemClock.sleep(Math.min(delayMs, 50), options)
      },
    }
    const start = () => createViewManager({ fleet, views, clock, jitterMs: 0, onReport: () => void runs++ }).start()
    await createViewManager({ fleet, views }).install()
    const first = start()
    await until(async () => runs === 1 && sleeps.length > 10)
    await first.stop()
    expect(runs).toBe(1)
    // A restart on the same day: nothing to do. A day later: one refresh. Its failure counts as tried.
    const second = start()
    await until(async () => sleeps.length > 20)
    expect(runs).toBe(1)
    const index = await indexOf(fleet)
    await rowsOf(fleet, `drop index "${index}"`)
    await rowsOf(fleet, "update shardwright.views set refreshed_at = refreshed_at - interval '25 hours'")
    await until(async () => runs === 2)
    const seen = sleeps.length
    await until(async () => sleeps.length > seen + 10)
    await second.stop()
    expect(runs).toBe(2)
    // Node's timers end at 24 days.
    expect(Math.max(...sleeps)).toBeLessThanOrEqual(60_000)
  })

  it('runs at the times of a cron expression', async () => {
    const fleet = await server.fleet(spendingSql)
    const refresh = { ...monthly.refresh, every: parseSchedule('0 3 1 * *', 'UTC') }
    const clock = new ManualClock(Date.UTC(2026, 0, 30, 12))
    let runs = 0
    const views = [{ ...monthly, refresh }]
    const manager = createViewManager({ fleet, views, clock, jitterMs: 0, onReport: () => void runs++ })
    await manager.install()
    const schedule = manager.start()
    await clock.advance(38 * 3_600_000)
    expect([runs, clock.sleeping]).toEqual([0, 1])
    await clock.advance(3_600_000)
    await until(async () => runs === 1 && clock.sleeping === 1)
    await clock.advance(27 * 86_400_000)
    expect(runs).toBe(1)
    await schedule.stop()
    expect(clock.sleeping).toBe(0)
  })

  it('refreshes after so many changes, not for fewer, and for fewer after so long', async () => {
    const fleet = await server.fleet(spendingSql)
    const view = { ...monthly, refresh: { ...monthly.refresh, after: { changes: 100, seconds: 3600 } } }
    const runs: (readonly RefreshReport[])[] = []
    const manager = createViewManager({
      fleet,
      views: [view],
      pollMs: 100,
      onReport: (reports) => void runs.push(reports),
    })
    await manager.install()
    await using schedule = manager.start()
    const total = async () => (await rowsOf<{ n: number }>(fleet, 'select sum(number)::int as n from monthly'))[0]?.n
    await until(async () => runs.length === 1)
    expect(await total()).toBe(60)
    const insert = (from: number, to: number) =>
      rowsOf(
        fleet,
        `insert into transactions (user_id, id, category, amount) select 'u', n, 'c', 1 from generate_series(${from}, ${to}) n`,
      )
    await insert(1000, 1009)
    await new Promise((resolve) => setTimeout(resolve, 1500))
    expect(runs).toHaveLength(1)
    await insert(2000, 2099)
    await until(async () => (await total()) === 170)
    await insert(3000, 3000)
    await rowsOf(fleet, "update shardwright.views set refreshed_at = refreshed_at - interval '2 hours'")
    await until(async () => (await total()) === 171)
    // TRUNCATE counts no row.
    await rowsOf(fleet, 'truncate transactions')
    await rowsOf(fleet, "update shardwright.views set refreshed_at = refreshed_at - interval '2 hours'")
    await until(async () => (await rowsOf(fleet, 'select 1 from monthly')).length === 0)
    await schedule.stop()
    expect(schedule.leads).toBe(false)
  })

  it('brings the views along that a triggered one reads, or it would take their old rows for the new ones', async () => {
    const fleet = await server.fleet(spendingSql)
    const child = { ...totals, refresh: { ...totals.refresh, after: { changes: 5, seconds: 3600 } } }
    const runs: string[][] = []
    const manager = createViewManager({
      fleet,
      views: [child, monthly],
      pollMs: 100,
      onReport: (reports) => void runs.push(reports.map(({ view }) => view)),
    })
    await manager.install()
    await manager.refresh()
    await using schedule = manager.start()
    await rowsOf(
      fleet,
      "insert into transactions (user_id, id, category, amount) select 'late', n, 'c', 2 from generate_series(1, 10) n",
    )
    await until(
      async () => (await rowsOf(fleet, "select 1 from totals where user_id = 'late' and total = 20")).length === 1,
    )
    expect(runs[0]).toEqual(['monthly', 'totals'])
    await schedule.stop()
  })
})
