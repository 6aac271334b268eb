import type { FleetConnection } from '../ports/fleet.ts'
import type { Schema } from './schema.ts'
import type { ShardedTable } from './table-placement.ts'

/** Something that works, and may not mean what was meant. */
export interface SchemaWarning {
  readonly code: 'UNIQUE_PER_SHARD'
  readonly message: string
  readonly hint: string
  readonly details: { readonly table: string; readonly index: string; readonly columns: readonly string[] | undefined }
}

/** A unique index of a sharded table, as the server has it. */
export interface FoundUnique {
  readonly schema: string
  readonly table: string
  readonly name: string
  /** `undefined` for an index on an expression, or on part of the rows. */
  readonly columns: readonly string[] | undefined
}

/**
 * The unique indexes that do not contain the shard key: each shard checks its own rows only, so that a value can stand on
 * two shards. A unique lookup of the column covers it.
 */
export function uniquePerShard(schema: Schema, uniques: readonly FoundUnique[]): readonly SchemaWarning[] {
  return uniques.flatMap((unique) => {
    const table = schema.find(unique.table, unique.schema)
    if (table?.kind !== 'sharded' || unique.columns?.includes(table.key)) return []
    return isCovered(schema, table, unique.columns) ? [] : [warning(table, unique)]
  })
}

/**
 * `uniquePerShard` of what a server has.
 * @example
 * for (const { message, hint } of await inspectUniques(connection, schema)) console.warn(message, hint)
 */
export async function inspectUniques(connection: FleetConnection, schema: Schema): Promise<readonly SchemaWarning[]> {
  const tables = schema.tables.filter((table) => table.kind === 'sharded')
  const { rows } = await connection.query<FoundUnique & { columns: readonly string[] | null }>(uniquesSql, [
    tables.map((table) => table.schema),
    tables.map((table) => table.table),
  ])
  return uniquePerShard(
    schema,
    rows.map((row) => ({ ...row, columns: row.columns ?? undefined })),
  )
}

function isCovered(schema: Schema, table: ShardedTable, columns: readonly string[] | undefined): boolean {
  if (columns?.length !== 1) return false
  return schema.lookups.some((lookup) => lookup.table === table && lookup.unique && lookup.column === columns[0])
}

function warning(table: ShardedTable, { name, columns }: FoundUnique): SchemaWarning {
  const what = columns ? `(${columns.join(', ')})` : 'an expression, or part of the rows,'
  const [only] = columns ?? []
  const lookup = `lookup({ table: '${table.name}', column: '${only}', to: '${table.keyName}', unique: true })`
  return Object.freeze({
    code: 'UNIQUE_PER_SHARD',
    message: `The unique index ${name} on ${what} of '${table.name}' leaves the shard key '${table.key}' out: it is unique on each shard, not over all.`,
    hint:
      columns?.length === 1
        ? `Where a value may stand only once in the fleet, give the schema ${lookup}; ids that cannot collide (uuidv7) need nothing.`
        : `Add '${table.key}' to it where that is what is meant; else keep the value in one column, and look that up: lookup({ ..., unique: true }).`,
    details: Object.freeze({ table: table.name, index: name, columns }),
  })
}

const uniquesSql = `select n.nspname as schema, c.relname as table, ic.relname as name,
 case when i.indpred is null and i.indexprs is null then
  (select json_agg(a.attname order by part.place) from unnest(i.indkey::int2[]) with ordinality as part (attnum, place)
   join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = part.attnum where part.place <= i.indnkeyatts) end as columns
from unnest($1::text[], $2::text[]) as wanted (schema, name)
join pg_catalog.pg_namespace n on n.nspname = wanted.schema
join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = wanted.name
join pg_catalog.pg_index i on i.indrelid = c.oid and i.indisunique
join pg_catalog.pg_class ic on ic.oid = i.indexrelid
order by 1, 2, 3`
