import fc from 'fast-check'
import { Temporal } from 'temporal-polyfill'
import { describe, expect, it } from 'vitest'
import { Calendar } from '../src/calendar/calendar.ts'
import { parseDuration } from '../src/calendar/duration.ts'
import { type Interval, parseInterval } from '../src/calendar/interval.ts'
import { instantAt, positionOfInstant, positionText } from '../src/calendar/position.ts'

const at = (text: string) => positionOfInstant(Temporal.Instant.from(text))
const calendar = (every: string, zone: string) => new Calendar(parseInterval(every) as Interval, zone)

function periods(every: string, zone: string, from: string, count: number): string[] {
  const tiles = calendar(every, zone)
  const edges: string[] = []
  let period = tiles.periodAt(at(from))
  for (let step = 0; step < count; step++) {
    edges.push(positionText(period.from))
    period = tiles.after(period)
  }
  return edges
}

const hours = (every: string, zone: string, inside: string) => {
  const { from, to } = calendar(every, zone).periodAt(at(inside))
  return Number(to - from) / 3_600_000_000
}

describe('daylight saving time', () => {
  it('America/New_York: 23 and 25 hour days, the same bounds from any process zone', () => {
    expect(hours('day', 'America/New_York', '2026-03-08T12:00:00Z')).toBe(23)
    expect(hours('day', 'America/New_York', '2026-11-01T12:00:00Z')).toBe(25)
    expect(periods('day', 'America/New_York', '2026-03-07T12:00:00Z', 4)).toEqual([
      '2026-03-07T05:00:00Z',
      '2026-03-08T05:00:00Z',
      '2026-03-09T04:00:00Z',
      '2026-03-10T04:00:00Z',
    ])
    expect(periods('month', 'America/New_York', '2026-03-15T00:00:00Z', 2)).toEqual([
      '2026-03-01T05:00:00Z',
      '2026-04-01T04:00:00Z',
    ])
    expect(periods('hour', 'America/New_York', '2026-11-01T04:00:00Z', 4)).toEqual([
      '2026-11-01T04:00:00Z',
      '2026-11-01T05:00:00Z',
      '2026-11-01T06:00:00Z',
      '2026-11-01T07:00:00Z',
    ])
  })

  it('Europe/Berlin: weeks over both changes', () => {
    expect(hours('day', 'Europe/Berlin', '2026-03-29T12:00:00Z')).toBe(23)
    expect(hours('day', 'Europe/Berlin', '2026-10-25T12:00:00Z')).toBe(25)
    expect(hours('week', 'Europe/Berlin', '2026-03-25T12:00:00Z')).toBe(167)
    expect(hours('week', 'Europe/Berlin', '2026-10-21T12:00:00Z')).toBe(169)
  })

  it('America/Sao_Paulo 2018: the day of the change has no midnight', () => {
    expect(periods('day', 'America/Sao_Paulo', '2018-11-03T12:00:00Z', 3)).toEqual([
      '2018-11-03T03:00:00Z',
      '2018-11-04T03:00:00Z',
      '2018-11-05T02:00:00Z',
    ])
    expect(hours('day', 'America/Sao_Paulo', '2018-02-17T12:00:00Z')).toBe(25)
  })

  it('Africa/Cairo 2023: the change is at midnight', () => {
    expect(periods('day', 'Africa/Cairo', '2023-04-27T12:00:00Z', 3)).toEqual([
      '2023-04-26T22:00:00Z',
      '2023-04-27T22:00:00Z',
      '2023-04-28T21:00:00Z',
    ])
    expect(hours('day', 'Africa/Cairo', '2023-10-26T12:00:00Z')).toBe(25)
  })

  it('Asia/Kolkata: half hours, no change', () => {
    expect(periods('day', 'Asia/Kolkata', '2026-03-29T12:00:00Z', 2)).toEqual([
      '2026-03-28T18:30:00Z',
      '2026-03-29T18:30:00Z',
    ])
    expect(periods('hour', 'Asia/Kolkata', '2026-03-29T12:00:00Z', 1)).toEqual(['2026-03-29T11:30:00Z'])
  })

  it('Pacific/Apia 2011: the skipped 30 December is no period', () => {
    expect(periods('day', 'Pacific/Apia', '2011-12-29T12:00:00Z', 3)).toEqual([
      '2011-12-29T10:00:00Z',
      '2011-12-30T10:00:00Z',
      '2011-12-31T10:00:00Z',
    ])
    const label = instantAt(at('2011-12-30T10:00:00Z')).toZonedDateTimeISO('Pacific/Apia').toPlainDate().toString()
    expect(label).toBe('2011-12-31')
    expect(hours('month', 'Pacific/Apia', '2011-12-10T00:00:00Z')).toBe(30 * 24)
  })

  it('America/St_Johns 2006: the clocks go back over midnight', () => {
    const tiles = calendar('day', 'America/St_Johns')
    // 00:01 on the 29th became 23:01 on the 28th: this instant carries the 28th's date, but lies after the 29th began.
    const inside = tiles.periodAt(at('2006-10-29T02:45:00Z'))
    expect(positionText(inside.from)).toBe('2006-10-29T02:30:00Z')
  })

  it('Asia/Beirut 2024: no midnight in spring, two in autumn; hours over both', () => {
    expect(periods('day', 'Asia/Beirut', '2024-03-30T12:00:00Z', 3)).toEqual([
      '2024-03-29T22:00:00Z',
      '2024-03-30T22:00:00Z',
      '2024-03-31T21:00:00Z',
    ])
    expect(hours('day', 'Asia/Beirut', '2024-10-26T12:00:00Z')).toBe(25)
    const spring = periods('hour', 'Asia/Beirut', '2024-03-30T21:00:00Z', 4)
    expect(spring.map((edge) => edge.slice(11, 16))).toEqual(['21:00', '22:00', '23:00', '00:00'])
    const autumn = periods('hour', 'Asia/Beirut', '2024-10-26T19:00:00Z', 5)
    expect(autumn.map((edge) => edge.slice(11, 16))).toEqual(['19:00', '20:00', '21:00', '22:00', '23:00'])
  })

  it('Australia/Lord_Howe: half-hour changes leave hours that tile', () => {
    expect(hours('day', 'Australia/Lord_Howe', '2026-04-05T00:00:00Z')).toBe(24.5)
    expect(hours('hour', 'Australia/Lord_Howe', '2026-04-05T13:15:00Z')).toBe(0.5)
  })
})

describe('bounds do not depend on the moment of running', () => {
  it('months from the 31st, leap days and weeks over new year', () => {
    for (const day of ['2026-01-31T23:59:59Z', '2026-01-01T00:00:00Z', '2026-01-15T07:00:00Z']) {
      expect(periods('month', 'UTC', day, 3)).toEqual([
        '2026-01-01T00:00:00Z',
        '2026-02-01T00:00:00Z',
        '2026-03-01T00:00:00Z',
      ])
    }
    expect(periods('week', 'UTC', '2027-01-01T00:00:00Z', 2)).toEqual(['2026-12-28T00:00:00Z', '2027-01-04T00:00:00Z'])
    expect(periods('quarter', 'UTC', '2026-12-31T00:00:00Z', 2)).toEqual([
      '2026-10-01T00:00:00Z',
      '2027-01-01T00:00:00Z',
    ])
    expect(periods('year', 'UTC', '2028-02-29T00:00:00Z', 1)).toEqual(['2028-01-01T00:00:00Z'])
  })

  it('weeks begin on the day asked for, and N days on the anchor', () => {
    const sundays = new Calendar(parseInterval('week') as Interval, 'America/New_York', '1970-01-04')
    const week = sundays.periodAt(at('2026-12-31T12:00:00Z'))
    expect([positionText(week.from), positionText(week.to)]).toEqual(['2026-12-27T05:00:00Z', '2027-01-03T05:00:00Z'])
    const tens = new Calendar(parseInterval('10 days') as Interval, 'UTC', '2026-03-03')
    for (const [inside, from] of [
      ['2026-03-03T00:00:00Z', '2026-03-03T00:00:00Z'],
      ['2026-03-12T23:59:59Z', '2026-03-03T00:00:00Z'],
      ['2026-03-02T23:59:59Z', '2026-02-21T00:00:00Z'],
      ['1969-12-31T23:00:00Z', '1969-12-27T00:00:00Z'],
    ] as const) {
      expect(positionText(tens.periodAt(at(inside)).from)).toBe(from)
    }
  })

  const zones = [
    'UTC',
    'America/New_York',
    'Europe/Berlin',
    'America/Sao_Paulo',
    'Africa/Cairo',
    'Asia/Kolkata',
    'Pacific/Apia',
    'America/St_Johns',
    'Australia/Lord_Howe',
    'Asia/Kathmandu',
    'America/Havana',
    'Antarctica/Troll',
    'Asia/Beirut',
  ]
  const intervals = ['hour', 'day', '3 days', '10 days', 'week', 'month', 'quarter', 'year']
  const instants = fc
    .bigInt({ min: at('1950-01-01T00:00:00Z'), max: at('2060-01-01T00:00:00Z') })
    .map((position) => position)

  it('periods tile time: no gap, no overlap, for any zone, interval and moment', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.constantFrom(...intervals),
        instants,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.constantFrom(undefined, '1970-01-04', '2026-03-03'),
        (zone, every, now, share, anchor) => {
          const tiles = new Calendar(parseInterval(every) as Interval, zone, anchor)
          const period = tiles.periodAt(now)
          expect(period.from <= now && now < period.to).toBe(true)
          const next = tiles.after(period)
          expect(next.from).toBe(period.to)
          expect(next.to > next.from).toBe(true)
          expect(tiles.before(next)).toEqual(period)
          // Whenever within the period it runs, it is the same period.
          const other = period.from + BigInt(Math.floor(Number(period.to - 1n - period.from) * share))
          expect(tiles.periodAt(other)).toEqual(period)
        },
      ),
      { numRuns: 3000 },
    )
  })
})

describe('words', () => {
  it('reads intervals and durations and refuses others', () => {
    expect(parseInterval('14 days')).toEqual({ unit: 'day', count: 14 })
    for (const bad of ['2 months', 'days', '0 days', 'fortnight', '-1 days']) expect(parseInterval(bad)).toBeUndefined()
    expect(parseDuration('1 year 6 months')?.toString()).toBe('P1Y6M')
    expect(parseDuration('90 days')?.toString()).toBe('P90D')
    for (const bad of ['', '12', 'months', '1 month 1 month', '0 days', '12 months ago']) {
      expect(parseDuration(bad)).toBeUndefined()
    }
  })
})
