import type { PgField } from '@shardwright/core'
import type { OrderKey } from '../plan/merge-plan.ts'
import { type Compare, orderOfType } from './value-order.ts'

export type TextRow = readonly (string | null)[]

/** Compares rows by ORDER BY keys; `undefined` when the order of some column is PostgreSQL's alone. */
export function rowOrder(
  keys: readonly OrderKey[],
  fields: readonly PgField[],
): ((a: TextRow, b: TextRow) => number) | undefined {
  const resolved: { position: number; compare: Compare; sign: number; nullSign: number }[] = []
  for (const key of keys) {
    const position = key.position < 0 ? fields.length + key.position : key.position
    const compare = orderOfType(fields[position]?.dataTypeID ?? 0)
    if (!compare) return undefined
    resolved.push({ position, compare, sign: key.descending ? -1 : 1, nullSign: key.nullsFirst ? -1 : 1 })
  }
  return (a, b) => {
    for (const { position, compare, sign, nullSign } of resolved) {
      const x = a[position] as string | null
      const y = b[position] as string | null
      if (x === y) continue
      if (x === null) return nullSign
      if (y === null) return -nullSign
      const order = compare(x, y)
      if (order !== 0) return order * sign
    }
    return 0
  }
}
