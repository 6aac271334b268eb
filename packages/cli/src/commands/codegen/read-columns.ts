import type { FleetConnection } from '@shardwright/core'

export interface ColumnFacts {
  readonly schema: string
  readonly table: string
  readonly column: string
  /** pg_type's name; `_int4` for an array. */
  readonly type: string
  readonly nullable: boolean
  /** The server gives a value when INSERT does not. */
  readonly hasDefault: boolean
  /** Never written by a client. */
  readonly generated: boolean
  readonly labels: readonly string[] | null
}

/** Every column of every application table. */
export async function readColumns(connection: FleetConnection): Promise<readonly ColumnFacts[]> {
  const { rows } = await connection.query<ColumnFacts>(`
    select n.nspname as schema, c.relname as "table", a.attname as "column", coalesce(b.typname, t.typname) as type,
      not (a.attnotnull or t.typnotnull) as nullable, a.atthasdef and a.attgenerated = '' or a.attidentity = 'd' as "hasDefault",
      a.attgenerated <> '' or a.attidentity = 'a' as generated,
      (select array_agg(e.enumlabel::text order by e.enumsortorder) from pg_enum e where e.enumtypid = coalesce(b.oid, t.oid)) as labels
    from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    join pg_type t on t.oid = a.atttypid left join pg_type b on t.typtype = 'd' and b.oid = t.typbasetype
    where c.relkind in ('r', 'p', 'v', 'm') and not c.relispartition and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'shardwright')
      and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
    order by n.nspname, c.relname, a.attnum`)
  return rows
}
