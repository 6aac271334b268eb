import { Temporal } from 'temporal-polyfill'

/**
 * A point on the axis of a partition key: microseconds since 1970-01-01.
 * Keys that are instants (timestamptz, epochs, uuid v7) count in UTC; keys that are wall time (timestamp, date) count
 * as if their wall time were UTC.
 */
export type Position = bigint

/** The edges of what a clock can show: 271821 B.C. and 275760. Bounds beyond stand there. */
export const firstPosition: Position = -8_640_000_000_000_000_000n
export const lastPosition: Position = 8_640_000_000_000_000_000n

export function positionOfInstant(instant: Temporal.Instant): Position {
  return floorDivide(instant.epochNanoseconds, 1000n)
}

export function instantAt(position: Position): Temporal.Instant {
  return Temporal.Instant.fromEpochNanoseconds(position * 1000n)
}

export function zonedAt(position: Position, zone: string): Temporal.ZonedDateTime {
  return instantAt(position).toZonedDateTimeISO(zone)
}

/** The wall time of an instant in a zone, on the axis of wall-time keys. */
export function wallPosition(position: Position, zone: string): Position {
  const wall = zonedAt(position, zone).toPlainDateTime().toZonedDateTime('UTC')
  return positionOfInstant(wall.toInstant())
}

/** `2026-03-29T00:00:00Z`; fractions only where there are some. For people and logs. */
export function positionText(position: Position): string {
  return instantAt(position).toString()
}

/** Division rounding down, also for negative numbers. */
export function floorDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b
  return a % b !== 0n && a < 0n !== b < 0n ? quotient - 1n : quotient
}

/** Math.min() for positions; the list must not be empty. */
export function least(positions: readonly Position[]): Position {
  let found = positions[0] as Position
  for (const position of positions) if (position < found) found = position
  return found
}

/** Math.max() for positions; the list must not be empty. */
export function greatest(positions: readonly Position[]): Position {
  let found = positions[0] as Position
  for (const position of positions) if (position > found) found = position
  return found
}
