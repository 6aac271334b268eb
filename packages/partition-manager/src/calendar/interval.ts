/** How wide a partition is. `N days` counts from 1970-01-01 in the zone of the set, whenever the job runs. */
export type PartitionInterval = 'hour' | 'day' | 'week' | 'month' | 'quarter' | 'year' | `${number} days`

export const weekDays = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const
export type WeekDay = (typeof weekDays)[number]

export type IntervalUnit = 'hour' | 'day' | 'week' | 'month' | 'quarter' | 'year'

export interface Interval {
  readonly unit: IntervalUnit
  /** More than 1 only for days. */
  readonly count: number
}

const units: ReadonlySet<string> = new Set<IntervalUnit>(['hour', 'day', 'week', 'month', 'quarter', 'year'])

/** `'3 days'` to `{ unit: 'day', count: 3 }`; `undefined` when it is no interval. */
export function parseInterval(text: string): Interval | undefined {
  if (units.has(text)) return Object.freeze({ unit: text as IntervalUnit, count: 1 })
  const days = /^([1-9][0-9]{0,3}) days$/.exec(text)
  if (!days) return undefined
  return Object.freeze({ unit: 'day', count: Number(days[1]) })
}
