/**
 * What the server says of the key columns of the tables $1 (schemas), $2 (tables), $3 (columns), in their order.
 * A view's columns have no NOT NULL: its rows are where its tables' rows are, and theirs is checked.
 */
export const keyColumnSql = `
select
  asked.n::int as n,
  relation.oid is not null as table_exists,
  attribute.attnum is not null as column_exists,
  coalesce(attribute.attnotnull or type.typnotnull or relation.relkind in ('v', 'm'), false) as not_null,
  coalesce(base.typname, type.typname) as type_name,
  coalesce(base_schema.nspname, type_schema.nspname) = 'pg_catalog' as built_in,
  format_type(attribute.atttypid, attribute.atttypmod) as type_text,
  coalesce(key_collation.collisdeterministic, true) as deterministic,
  key_collation.collname as collation,
  pg_catalog.getdatabaseencoding()::text as encoding
from unnest($1::text[], $2::text[], $3::text[]) with ordinality as asked(schema_name, table_name, column_name, n)
left join pg_catalog.pg_namespace as namespace on namespace.nspname = asked.schema_name
left join pg_catalog.pg_class as relation
  on relation.relnamespace = namespace.oid and relation.relname = asked.table_name and relation.relkind in ('r', 'p', 'f', 'v', 'm')
left join pg_catalog.pg_attribute as attribute
  on attribute.attrelid = relation.oid and attribute.attname = asked.column_name
  and attribute.attnum > 0 and not attribute.attisdropped
left join pg_catalog.pg_type as type on type.oid = attribute.atttypid
left join pg_catalog.pg_namespace as type_schema on type_schema.oid = type.typnamespace
left join pg_catalog.pg_type as base on type.typtype = 'd' and base.oid = type.typbasetype
left join pg_catalog.pg_namespace as base_schema on base_schema.oid = base.typnamespace
left join pg_catalog.pg_collation as key_collation on key_collation.oid = attribute.attcollation
order by asked.n`

/** One row of `keyColumnSql`. */
export interface KeyColumnRow {
  readonly n: number
  readonly table_exists: boolean
  readonly column_exists: boolean
  readonly not_null: boolean
  readonly type_name: string | null
  readonly built_in: boolean | null
  readonly type_text: string | null
  readonly deterministic: boolean
  readonly collation: string | null
  /** Of the database: texts are hashed by their bytes. */
  readonly encoding: string
}
