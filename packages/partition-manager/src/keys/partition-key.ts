import type { Position } from '../calendar/position.ts'

/** The kinds of key that a time partition can have. */
export type PartitionKeyName = 'timestamptz' | 'timestamp' | 'date' | 'epoch-s' | 'epoch-ms' | 'epoch-us' | 'uuid-v7'

/** How one kind of key maps between the axis of time and the literals of PostgreSQL. */
export interface PartitionKey {
  readonly name: PartitionKeyName
  /** Wall time has no zone of its own: bounds are counted on the wall, only `now` needs the zone. */
  readonly wall: boolean
  /** Names in pg_type that a column of this kind may have. */
  readonly types: readonly string[]
  /** The type for casts. */
  readonly cast: string
  /** The smallest step of the axis that the type can hold, in microseconds. */
  readonly stepUs: bigint
  /** A value of the type below which, or at which, no point of time lies: `-infinity`. */
  readonly nothingUpTo: string | undefined
  /** The literal without quotes. The position must be a multiple of `stepUs`. */
  text(position: Position): string
  /**
   * Reads a bound or a value as PostgreSQL prints it under TimeZone UTC and DateStyle ISO.
   * What lies between two steps is rounded to the side that makes the range wider.
   */
  parse(text: string, side: 'lower' | 'upper'): Position | undefined
}
