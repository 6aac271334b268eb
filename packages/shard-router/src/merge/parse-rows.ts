import type { PgField } from '@shardwright/core'
import { createRowReader, type RowReader, type TypeParsers } from '../pool/row-reader.ts'
import type { TextRow } from './row-order.ts'

/** Rows of wire text as the objects that the driver would have made of them. */
export function parseRows(
  rows: readonly TextRow[],
  fields: readonly PgField[],
  parsers: TypeParsers,
): Record<string, unknown>[] {
  const reader = readerOf(fields, parsers)
  return rows.map((row) => reader.readObject(row))
}

// The answers of a prepared statement share their fields, and making a reader costs as much as reading some rows.
const readers = new WeakMap<readonly PgField[], { readonly parsers: TypeParsers; readonly reader: RowReader }>()

function readerOf(fields: readonly PgField[], parsers: TypeParsers): RowReader {
  const known = readers.get(fields)
  if (known?.parsers === parsers) return known.reader
  const reader = createRowReader(fields, parsers)
  readers.set(fields, { parsers, reader })
  return reader
}
