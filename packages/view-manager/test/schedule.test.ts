import { ManualClock } from '@shardwright/core'
import { describe, expect, it } from 'vitest'
import { delayOf, parseSchedule } from '../src/definition/schedule.ts'
import { createViewManager, type RefreshReport, type View } from '../src/index.ts'
import { rowsOf, until, useServer, withDeadShard } from './support/databases.ts'
import { monthly, spendingSql, totals } from './support/spending.ts'

const server = useServer()
const daily: View['refresh'] = { ...monthly.refresh, every: { everyMs: 86_400_000 } }
const scheduled = [
  { ...monthly, refresh: daily },
  { ...totals, refresh: daily },
]

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
    const clock = new ManualClock(Date.UTC(2026, 0, 1))
    const runs: [process: number, reports: readonly RefreshReport[]][] = []
    const schedules = [0, 1].map((at) =>
      createViewManager({
        fleet: withDeadShard(fleet),
        views: scheduled,
        clock,
        jitterMs: 1000,
        onReport: (reports) => void runs.push([at, reports]),
      }).start(),
    )
    const nextDay = async (count: number) => {
      await clock.advance(86_401_000)
      await until(async () => runs.length >= count && clock.sleeping === 2)
    }
    await clock.advance(1000)
    expect(runs).toEqual([])
    await nextDay(1)
    await nextDay(2)
    const [first, second] = runs
    expect(first?.[1].map(({ view, outcome }) => [view, outcome])).toEqual([
      ['monthly', 'refreshed'],
      ['totals', 'refreshed'],
      ['monthly', 'failed'],
      ['totals', 'failed'],
    ])
    expect(second?.[0]).toBe(first?.[0])
    const leader = first?.[0] === 0 ? 0 : 1
    expect(schedules.map(({ leads }) => leads)).toEqual([leader === 0, leader === 1])
    await schedules[leader]?.stop()
    await clock.advance(86_401_000)
    await until(async () => runs.length === 3)
    expect(runs[2]?.[0]).toBe(1 - leader)
    await Promise.all(schedules.map((schedule) => schedule.stop()))
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
    await schedule.stop()
    expect(schedule.leads).toBe(false)
  })
})
