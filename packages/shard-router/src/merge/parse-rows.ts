import type { PgField } from '@shardwright/core'
import { createRowReader, type TypeParsers } from '../pool/row-reader.ts'
import type { TextRow } from './row-order.ts'

/** Rows of wire text as the objects that the driver would have made of them. */
export function parseRows(
  rows: readonly TextRow[],
  fields: readonly PgField[],
  parsers: TypeParsers,
): Record<string, unknown>[] {
  const reader = createRowReader(fields, parsers)
  return rows.map((row) => reader.readObject(row))
}
