import type { Period } from '../calendar/calendar.ts'
import { zonedAt } from '../calendar/position.ts'
import { fitName } from '../sql/identifier.ts'
import type { PartitionPolicy } from './policy.ts'

/** `transactions_p2026_03`; unique per period, within 63 bytes. */
export function partitionName(policy: PartitionPolicy, period: Period): string {
  return fitName(policy.table, `_${label(policy, period)}`)
}

/** The name of a piece of a period, where another partition already holds the rest. */
export function pieceName(policy: PartitionPolicy, period: Period, piece: Period): string {
  const at = zonedAt(piece.from, 'UTC').toString({ smallestUnit: 'second', timeZoneName: 'never', offset: 'never' })
  return fitName(policy.table, `_${label(policy, period)}_x${at.replaceAll(/[-:]/g, '').toLowerCase()}`)
}

function label(policy: PartitionPolicy, period: Period): string {
  const start = zonedAt(period.from, policy.calendar.zone)
  const year = start.year >= 0 ? String(start.year).padStart(4, '0') : `m${-start.year}`
  switch (policy.calendar.interval.unit) {
    case 'year':
      return `p${year}`
    case 'quarter':
      return `p${year}q${Math.ceil(start.month / 3)}`
    case 'month':
      return `p${year}_${two(start.month)}`
    case 'week':
      // Weeks have numbers where they begin on Monday; others are named by their first day.
      if (policy.calendar.weekStart === 1) return `p${start.yearOfWeek}w${two(start.weekOfYear ?? 0)}`
      return `p${year}_${two(start.month)}_${two(start.day)}w`
    case 'day':
      return `p${year}_${two(start.month)}_${two(start.day)}`
    default: {
      // In UTC: a local hour comes twice when the clocks go back.
      const utc = zonedAt(period.from, 'UTC')
      return `p${utc.year}_${two(utc.month)}_${two(utc.day)}_${two(utc.hour)}${two(utc.minute)}z`
    }
  }
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}
