import { Temporal } from 'temporal-polyfill'
import { type Position, positionOfInstant, zonedAt } from '../calendar/position.ts'

const isoForm = /^(\d{4,6})-(\d\d)-(\d\d)(?: (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?)?(\+00)?( BC)?$/

/** Reads what PostgreSQL prints under DateStyle ISO and TimeZone UTC; `undefined` for anything else. */
export function parseIsoText(text: string): Position | undefined {
  const match = isoForm.exec(text)
  if (!match) return undefined
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', , bc] = match
  try {
    const wall = Temporal.PlainDateTime.from(
      {
        year: bc ? 1 - Number(year) : Number(year),
        month: Number(month),
        day: Number(day),
        hour: Number(hour),
        minute: Number(minute),
        second: Number(second),
      },
      { overflow: 'reject' },
    )
    return positionOfInstant(wall.toZonedDateTime('UTC').toInstant()) + BigInt(fraction.padEnd(6, '0'))
  } catch {
    // A year beyond Temporal's range: the caller treats the bound as one it cannot read.
    return undefined
  }
}

/** `2026-03-29 00:00:00` in UTC, with fractions where there are some, ` BC` before year 1. */
export function isoText(position: Position): string {
  const zoned = zonedAt(position, 'UTC')
  const year = zoned.year > 0 ? zoned.year : 1 - zoned.year
  const pad = (value: number) => String(value).padStart(2, '0')
  const micros = ((position % 1_000_000n) + 1_000_000n) % 1_000_000n
  const fraction = micros === 0n ? '' : `.${String(micros).padStart(6, '0')}`
  const date = `${String(year).padStart(4, '0')}-${pad(zoned.month)}-${pad(zoned.day)}`
  const time = `${pad(zoned.hour)}:${pad(zoned.minute)}:${pad(zoned.second)}${fraction}`
  return `${date} ${time}${zoned.year > 0 ? '' : ' BC'}`
}
