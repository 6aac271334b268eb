import { Temporal } from 'temporal-polyfill'
import type { Interval } from './interval.ts'
import { floorDivide, type Position, positionOfInstant, zonedAt } from './position.ts'

/** A half-open range of time: `from` belongs to it, `to` does not. */
export interface Period {
  readonly from: Position
  readonly to: Position
}

const hour = 3_600_000_000n

/**
 * Tiles time with periods of one interval in one zone: no gap, no overlap, and the same periods whenever it is asked.
 * Days begin where they begin in the zone: 23 and 25 hour days are one period each, a day that the zone skipped
 * (Pacific/Apia, 2011-12-30) is none. Hours count from the start of their day, so that the last one may be shorter in
 * zones that shift by half an hour.
 *
 * @example
 * new Calendar({ unit: 'day', count: 1 }, 'America/New_York').periodAt(position)
 */
export class Calendar {
  readonly interval: Interval
  readonly zone: string
  /** A date on which a period of days or weeks begins. */
  readonly #anchor: Temporal.PlainDate

  constructor(interval: Interval, zone: string, anchor?: string) {
    this.interval = interval
    this.zone = zone
    // 1970-01-05 was a Monday.
    this.#anchor = Temporal.PlainDate.from(anchor ?? (interval.unit === 'week' ? '1970-01-05' : '1970-01-01'))
  }

  /** 1 is Monday; the day on which weeks begin. */
  get weekStart(): number {
    return this.#anchor.dayOfWeek
  }

  /** The one period that holds `position`. */
  periodAt(position: Position): Period {
    if (this.interval.unit === 'hour') return this.#hourAt(position)
    return this.#datePeriodAt(
      position,
      (date) => this.#startDate(date),
      (date) => this.#nextDate(date),
    )
  }

  /** The period that begins where `period` ends. */
  after(period: Period): Period {
    return this.periodAt(period.to)
  }

  /** The period that ends where `period` begins. */
  before(period: Period): Period {
    return this.periodAt(period.from - 1n)
  }

  /** `position` moved back by a length of calendar time in the zone. */
  subtract(position: Position, duration: Temporal.Duration): Position {
    return positionOfInstant(zonedAt(position, this.zone).subtract(duration).toInstant())
  }

  #hourAt(position: Position): Period {
    const day = this.#datePeriodAt(
      position,
      (date) => date,
      (date) => date.add({ days: 1 }),
    )
    const from = day.from + floorDivide(position - day.from, hour) * hour
    return { from, to: from + hour < day.to ? from + hour : day.to }
  }

  #datePeriodAt(position: Position, start: Step, next: Step): Period {
    // The local date is only a first guess: some zones set their clocks back over midnight (America/St_Johns), so that
    // an instant after the start of a day may carry the date before.
    let date = start(zonedAt(position, this.zone).toPlainDate())
    let from = this.#startOf(date)
    while (position < from) {
      date = start(date.subtract({ days: 1 }))
      from = this.#startOf(date)
    }
    for (;;) {
      const following = next(date)
      const to = this.#startOf(following)
      if (position < to) return { from, to }
      date = following
      from = to
    }
  }

  #startOf(date: Temporal.PlainDate): Position {
    // Without a time this is the first instant of the date in the zone, also where midnight does not exist.
    return positionOfInstant(date.toZonedDateTime(this.zone).toInstant())
  }

  #startDate(date: Temporal.PlainDate): Temporal.PlainDate {
    switch (this.interval.unit) {
      case 'month':
        return date.with({ day: 1 })
      case 'quarter':
        return date.with({ day: 1, month: date.month - ((date.month - 1) % 3) })
      case 'year':
        return date.with({ day: 1, month: 1 })
      default: {
        const days = this.#anchor.until(date).days
        const count = this.interval.unit === 'week' ? 7 : this.interval.count
        return date.subtract({ days: ((days % count) + count) % count })
      }
    }
  }

  #nextDate(date: Temporal.PlainDate): Temporal.PlainDate {
    switch (this.interval.unit) {
      case 'week':
        return date.add({ weeks: 1 })
      case 'month':
        return date.add({ months: 1 })
      case 'quarter':
        return date.add({ months: 3 })
      case 'year':
        return date.add({ years: 1 })
      default:
        return date.add({ days: this.interval.count })
    }
  }
}

type Step = (date: Temporal.PlainDate) => Temporal.PlainDate
