import { type FleetConnection, type KeyType, type Lookup, lookupRowColumn, lookupRowSql } from '@shardwright/core'
import { quote } from '../../merge/relation.ts'

interface Column {
  readonly name: string
  /** As SQL writes it. */
  readonly type: string
}

/** A lookup with the types that the server has for its columns. */
export interface LookupShape {
  readonly lookup: Lookup
  /** By which the value is hashed. */
  readonly valueHash: KeyType
  /** By which the shard key is hashed. */
  readonly keyHash: KeyType
  readonly primaryKey: readonly Column[]
  /** Of the entries: value, key, row. */
  readonly columns: readonly Column[]
  readonly table: string
  readonly entries: string
}

export async function readShape(
  connection: FleetConnection,
  lookup: Lookup,
  types: ReadonlyMap<string, KeyType>,
): Promise<LookupShape> {
  const { table, entries, column } = lookup
  const primaryKey = await columnsOf(connection, table, primaryKeySql)
  const all = await columnsOf(connection, entries, columnsSql)
  const names = [column, table.key, lookupRowColumn]
  return Object.freeze({
    lookup,
    valueHash: types.get(entries.family) as KeyType,
    keyHash: types.get(table.family) as KeyType,
    primaryKey,
    columns: names.map((name) => all.find((own) => own.name === name) as Column),
    table: qualified(table),
    entries: qualified(entries),
  })
}

/** One row as it stands in a lookup, all as text. */
export interface LookupRow {
  readonly value: string
  readonly key: string
  readonly line: string
}

/** The row's value, key and name, under the alias `r` of the looked up table. */
export function rowSql({ lookup, primaryKey }: LookupShape): string {
  const names = primaryKey.map(({ name }) => name)
  return `r.${quote(lookup.column)}::text as value, r.${quote(lookup.table.key)}::text as key, ${lookupRowSql(names, 'r')} as line`
}

/** `g` is unnest of values, keys and lines: as the columns of entries. */
export function givenSql({ columns }: LookupShape): readonly string[] {
  const names = ['value', 'key', 'line']
  return columns.map(({ type }, index) => `g.${names[index]}::${type}`)
}

export function columnList({ columns }: LookupShape): string {
  return columns.map(({ name }) => quote(name)).join(', ')
}

export const givenRows = 'unnest($1::text[], $2::text[], $3::text[]) with ordinality as g (value, key, line, n)'

export function parametersOf(rows: readonly LookupRow[]): readonly (readonly string[])[] {
  return [rows.map(({ value }) => value), rows.map(({ key }) => key), rows.map(({ line }) => line)]
}

function qualified({ schema, table }: { readonly schema: string; readonly table: string }): string {
  return `${quote(schema)}.${quote(table)}`
}

async function columnsOf(
  connection: FleetConnection,
  { schema, table }: Lookup['entries'],
  sql: string,
): Promise<readonly Column[]> {
  return (await connection.query<Column & object>(sql, [`${quote(schema)}.${quote(table)}`])).rows
}

const columnsSql = `select a.attname as name, pg_catalog.format_type(a.atttypid, a.atttypmod) as type
 from pg_catalog.pg_attribute a where a.attrelid = $1::text::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum`

const primaryKeySql = `select a.attname as name, pg_catalog.format_type(a.atttypid, a.atttypmod) as type
 from pg_catalog.pg_index i cross join lateral unnest(i.indkey::int2[]) with ordinality as part (attnum, place)
 join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = part.attnum
 where i.indrelid = $1::text::regclass and i.indisprimary order by part.place`
