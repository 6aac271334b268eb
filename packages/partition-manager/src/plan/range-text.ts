import type { Position } from '../calendar/position.ts'
import { positionText } from '../calendar/position.ts'
import type { PartitionKey } from '../keys/partition-key.ts'
import { literal } from '../sql/identifier.ts'
import type { Range } from './wanted.ts'

/** `FOR VALUES FROM ('...') TO ('...')`. */
export function forValues(key: PartitionKey, range: Range): string {
  const lower = range.lower === undefined ? 'MINVALUE' : literal(key.text(range.lower))
  const upper = range.upper === undefined ? 'MAXVALUE' : literal(key.text(range.upper))
  return `for values from (${lower}) to (${upper})`
}

/** The same range as a condition on the key's column, which must be quoted already. */
export function rangeCondition(key: PartitionKey, column: string, range: Range): string {
  const parts = [`${column} is not null`]
  if (range.lower !== undefined) parts.push(`${column} >= ${bound(key, range.lower)}`)
  if (range.upper !== undefined) parts.push(`${column} < ${bound(key, range.upper)}`)
  return parts.join(' and ')
}

export function bound(key: PartitionKey, position: Position): string {
  return `${literal(key.text(position))}::${key.cast}`
}

export function rangeText(range: Range): string {
  const lower = range.lower === undefined ? 'MINVALUE' : positionText(range.lower)
  const upper = range.upper === undefined ? 'MAXVALUE' : positionText(range.upper)
  return `[${lower}, ${upper})`
}
