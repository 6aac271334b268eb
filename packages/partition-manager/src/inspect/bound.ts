import type { Position } from '../calendar/position.ts'
import { PartitionError } from '../errors/partition-error.ts'
import type { PartitionKey } from '../keys/partition-key.ts'

export interface Bounds {
  readonly lower: Position | undefined
  readonly upper: Position | undefined
}

const rangeForm = /^FOR VALUES FROM \((MINVALUE|'[^']*'|-?\d+)\) TO \((MAXVALUE|'[^']*'|-?\d+)\)$/

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
  if (side === 'lower' && (value === 'MINVALUE' || value === '-infinity')) return undefined
  if (side === 'upper' && (value === 'MAXVALUE' || value === 'infinity')) return undefined
  const position = key.parse(value, side)
  if (position === undefined) throw unreadable(expression, partition)
  return position
}

function unreadable(expression: string, partition: string): PartitionError {
  return new PartitionError({
    code: 'PARTITION_BOUND_UNREADABLE',
    message: `The bound of partition ${partition} cannot be read as a range of time: ${expression}`,
    details: { partition },
  })
}
