import { firstPosition, lastPosition, type Position } from '../calendar/position.ts'
import { PartitionError } from '../errors/partition-error.ts'
import type { PartitionKey } from '../keys/partition-key.ts'

export interface Bounds {
  readonly lower: Position | undefined
  readonly upper: Position | undefined
}

/** How pg_get_expr prints the bound of a range of one column. */
export const rangeForm = /^FOR VALUES FROM \((MINVALUE|'[^']*'|-?\d+)\) TO \((MAXVALUE|'[^']*'|-?\d+)\)$/

/**
 * Reads `FOR VALUES FROM ('...') TO ('...')` as pg_get_expr prints it in a pinned session.
 * @throws PartitionError PARTITION_BOUND_UNREADABLE
 */
export function parseBound(expression: string, key: PartitionKey, partition: string): Bounds {
  const match = rangeForm.exec(expression)
  if (!match) throw unreadable(expression, partition)
  return {
    lower: parseSide(match[1] as string, 'lower', expression, key, partition),
    upper: parseSide(match[2] as string, 'upper', expression, key, partition),
  }
}

function parseSide(
  text: string,
  side: 'lower' | 'upper',
  expression: string,
  key: PartitionKey,
  partition: string,
): Position | undefined {
  const value = text.startsWith("'") ? text.slice(1, -1) : text
  if (value === 'MINVALUE' || value === 'MAXVALUE') return undefined
  const position = key.parse(value, side)
  if (position !== undefined) return position
  const beyond = beyondTime(value)
  if (beyond === undefined) throw unreadable(expression, partition)
  if (beyond === 'past') return side === 'lower' ? undefined : firstPosition
  return side === 'upper' ? undefined : lastPosition
}

/** On which side of all time a value lies that no clock will ever show: `infinity`, year 294276, the greatest bigint or uuid. */
function beyondTime(value: string): 'past' | 'future' | undefined {
  if (value === '-infinity' || /^-\d{1,19}$/.test(value)) return 'past'
  if (value === 'infinity' || /^\d{1,19}$/.test(value)) return 'future'
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value)) return 'future'
  return /^\d{5,7}-\d\d-\d\d[^B]*$/.test(value) ? 'future' : undefined
}

function unreadable(expression: string, partition: string): PartitionError {
  return new PartitionError({
    code: 'PARTITION_BOUND_UNREADABLE',
    message: `The bound of partition ${partition} cannot be read as a range of time: ${expression}`,
    details: { partition },
  })
}
