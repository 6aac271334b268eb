import type { FleetConnection, Schema } from '@shardwright/core'
import { quoteIdentifier, quoteQualified } from '../sql/quote.ts'

export interface ReferenceTableName {
  readonly schema: string
  readonly table: string
}

/** What a copy of a reference table holds; equal exactly when the rows are (their order does not matter). */
export interface TableFingerprint {
  readonly table: string
  readonly rows: number
  readonly checksum: string
}

/** The reference tables of a schema, as the server names them. */
export function referenceTables(schema: Schema): readonly ReferenceTableName[] {
  return schema.tables.filter((table) => table.kind === 'reference')
}

// Values travel as text: the same settings on both sides make it exact.
export const exactText = `set local datestyle = 'ISO, YMD'; set local intervalstyle = 'postgres'; set local timezone = 'UTC';
  set local extra_float_digits = 3; set local bytea_output = 'hex'; set local xmloption = content`

/** Counts and sums up a table, inside the caller's transaction (with `exactText`). */
export async function fingerprint(connection: FleetConnection, name: ReferenceTableName): Promise<TableFingerprint> {
  const columns = await storedColumns(connection, name)
  const { rows } = await connection.query<{ rows: number; checksum: string }>(
    `select count(*)::int8::int4 as rows, coalesce(sum(hashtextextended(row(${columns.join(', ')})::text, 0)::numeric), 0)::text as checksum
     from ${quoteQualified(name.schema, name.table)}`,
  )
  return { table: `${name.schema}.${name.table}`, rows: rows[0]?.rows ?? 0, checksum: rows[0]?.checksum ?? '' }
}

/** Replaces the rows of one table on `to` by those of `from`, in batches, inside the transactions of both. */
export async function copyTable(from: FleetConnection, to: FleetConnection, name: ReferenceTableName): Promise<number> {
  const table = quoteQualified(name.schema, name.table)
  const columns = await storedColumns(from, name)
  const list = columns.join(', ')
  const texts = columns.map((column, index) => `${column}::text as c${index}`).join(', ')
  await to.query(`delete from ${table}`)
  await from.query(`declare shardwright_copy no scroll cursor for select ${texts} from ${table}`)
  const types = await columnTypes(to, name, columns)
  const values = types.map((type, index) => `(r.c${index})::${type}`).join(', ')
  const arrays = columns.map((_, index) => `$${index + 1}::text[]`).join(', ')
  const names = columns.map((_, index) => `c${index}`).join(', ')
  let copied = 0
  for (;;) {
    const { rows } = await from.query<Record<string, string | null>>('fetch forward 1000 from shardwright_copy')
    if (rows.length === 0) break
    await to.query(
      `insert into ${table} (${list}) overriding system value select ${values} from unnest(${arrays}) as r(${names})`,
      columns.map((_, index) => rows.map((row) => row[`c${index}`] ?? null)),
    )
    copied += rows.length
  }
  await from.query('close shardwright_copy')
  return copied
}

/** Columns that hold something of their own: no generated ones. In name order, for tables may differ in theirs. */
async function storedColumns(connection: FleetConnection, name: ReferenceTableName): Promise<readonly string[]> {
  const { rows } = await connection.query<{ name: string }>(
    `select attname as name from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = ''
     order by attname collate "C"`,
    [quoteQualified(name.schema, name.table)],
  )
  return rows.map((row) => quoteIdentifier(row.name))
}

async function columnTypes(
  connection: FleetConnection,
  name: ReferenceTableName,
  columns: readonly string[],
): Promise<readonly string[]> {
  const { rows } = await connection.query<{ name: string; type: string }>(
    `select quote_ident(attname) as name, attname as raw, format_type(atttypid, atttypmod) as type from pg_attribute
     where attrelid = $1::regclass and attnum > 0 and not attisdropped`,
    [quoteQualified(name.schema, name.table)],
  )
  const types = new Map(rows.map((row) => [quoteIdentifier((row as unknown as { raw: string }).raw), row.type]))
  return columns.map((column) => types.get(column) ?? 'text')
}
