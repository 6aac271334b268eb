import type { FleetConnection } from '@shardwright/core'
import { z } from 'zod'
import { CacheError } from '../errors/cache-error.ts'
import { parseOptions } from '../errors/parse-options.ts'

/** The table on each shard that holds what is still to be invalidated. */
export const outboxTable = 'public.shardwright_cache_outbox'

const plainName = z.string().regex(/^[^\0"]{1,63}$/, 'a name without double quotes, at most 63 characters')

const tableSchema = z.strictObject({
  table: z.string().regex(/^[^\0".]{1,63}(\.[^\0".]{1,63})?$/, '`table` or `schema.table`'),
  id: z.array(plainName).min(1).readonly(),
  key: plainName.optional(),
})

/** A table whose writes are to be noticed, as its repository names it. */
export interface OutboxTable {
  /** `table` or `schema.table`; the name that the repository has. */
  readonly table: string
  /** The primary key columns. */
  readonly id: readonly string[]
  /** The shard key column. */
  readonly key?: string
}

export function checkOutboxTables(tables: readonly OutboxTable[]): readonly z.output<typeof tableSchema>[] {
  return parseOptions('installOutbox', z.array(tableSchema).min(1), tables)
}

/** Schema and name, quoted; an unqualified name is one of schema public. */
export function quotedTable(table: string): string {
  const [schema, name] = table.includes('.') ? table.split('.') : ['public', table]
  return `${quoted(schema!)}.${quoted(name!)}`
}

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** Types whose text on the server is what the repository sees. */
const sameText = new Set(['int2', 'int4', 'int8', 'text', 'varchar', 'uuid', 'numeric'])

/** @throws CacheError CACHE_OUTBOX_COLUMN */
export function checkColumnTypes(table: string, columns: readonly string[], types: ReadonlyMap<string, string>): void {
  for (const column of columns) {
    const type = types.get(column)
    if (type !== undefined && sameText.has(type)) continue
    throw new CacheError({
      code: 'CACHE_OUTBOX_COLUMN',
      message: `Column '${column}' of table '${table}' is ${type === undefined ? 'not there' : `of type ${type}`}: its writes cannot be matched with cached rows.`,
      hint: `Id and key columns of the outbox are of the types ${[...sameText].join(', ')}.`,
      details: { table, column },
    })
  }
}

/** Types by column name; empty when there is no such table. */
export async function columnTypes(connection: FleetConnection, table: string): Promise<ReadonlyMap<string, string>> {
  const { rows } = await connection.query<{ name: string; type: string }>(
    `select a.attname as name, t.typname as type from pg_attribute a join pg_type t on t.oid = a.atttypid
     where a.attrelid = to_regclass($1) and a.attnum > 0 and not a.attisdropped`,
    [quotedTable(table)],
  )
  return new Map(rows.map((row) => [row.name, row.type]))
}
