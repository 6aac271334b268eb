import { Temporal } from 'temporal-polyfill'
import { type Position, positionOfInstant, wallPosition } from '../calendar/position.ts'
import type { PartitionKey } from '../keys/partition-key.ts'

/** Reads `2026-01-01` or `2026-01-01T06:00` on the wall of `zone`, or a time with an offset; `undefined` for others. */
export function parseTime(text: string, key: PartitionKey, zone: string): Position | undefined {
  try {
    if (/T.*(Z|[+-]\d\d(:?\d\d)?)$/.test(text)) {
      const instant = positionOfInstant(Temporal.Instant.from(text))
      return key.wall ? wallPosition(instant, zone) : instant
    }
    const wall = Temporal.PlainDateTime.from(text)
    return positionOfInstant(wall.toZonedDateTime(key.wall ? 'UTC' : zone).toInstant())
  } catch {
    // Temporal says why only in words; the caller names the option instead.
    return undefined
  }
}
