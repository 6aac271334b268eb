import type { PgField } from '@shardwright/core'
import pg from 'pg'
import type { TextRow } from './row-order.ts'

type Parser = (text: string) => unknown

/** Rows of wire text as the objects that `pg` would have made of them: a later column of the same name wins. */
export function parseRows(rows: readonly TextRow[], fields: readonly PgField[]): Record<string, unknown>[] {
  const parsers = fields.map((field) => pg.types.getTypeParser(field.dataTypeID, 'text') as Parser)
  const names = fields.map((field) => field.name)
  return rows.map((row) => {
    const parsed: Record<string, unknown> = {}
    for (let i = 0; i < names.length; i++) {
      const value = row[i] as string | null
      parsed[names[i] as string] = value === null ? null : (parsers[i] as Parser)(value)
    }
    return parsed
  })
}
