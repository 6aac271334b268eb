import { storageOptions } from './table-settings.ts'

/** $1 parent oid. */
export const partitionQuery = `
select c.oid::text as oid,
       n.nspname::text as schema,
       c.relname::text as name,
       c.relkind::text as relkind,
       i.inhdetachpending as detach_pending,
       pg_get_expr(c.relpartbound, c.oid) as bound,
       coalesce((select sum(pg_total_relation_size(relid)) from pg_partition_tree(c.oid)),
                pg_total_relation_size(c.oid))::int8::text as bytes,
       c.reltuples::float8 as estimated_rows,
       coalesce((select amname::text from pg_am where oid = c.relam), 'heap') as access_method,
       coalesce(${storageOptions('c')}, '') as options
  from pg_inherits i
  join pg_class c on c.oid = i.inhrelid
  join pg_namespace n on n.oid = c.relnamespace
 where i.inhparent = $1::oid
 order by c.oid`

export interface PartitionRow {
  readonly oid: string
  readonly schema: string
  readonly name: string
  readonly relkind: string
  readonly detach_pending: boolean
  readonly bound: string
  readonly bytes: string
  readonly estimated_rows: number
  readonly access_method: string
  readonly options: string
}

/** $1 parent oid. */
export const incomingForeignKeyQuery = `
select format('%I on %s', conname, conrelid::regclass) as name
  from pg_constraint
 where contype = 'f' and confrelid = $1::oid and conparentid = 0
 order by 1`

/** $1 parent oid: columnar tables refuse both. */
export const columnarObstacleQuery = `
select 'foreign key ' || conname as name from pg_constraint where contype = 'f' and conrelid = $1::oid
union all
select 'trigger ' || tgname from pg_trigger
 where tgrelid = $1::oid and not tgisinternal and tgtype & 1 = 1 and tgtype & 2 = 0
 order by 1`

/** $1 parent oid. */
export const outgoingForeignKeyQuery = `
select conname::text as name from pg_constraint where contype = 'f' and conrelid = $1::oid order by 1`

/** $1 schema, $2 how the names begin. */
export const takenNameQuery = `
select c.relname::text as name
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = $1 and starts_with(c.relname::text, $2)`

/** $1 parent oid. */
export const jobQuery = `
select j.id::text as id, j.kind, j.child::text as child_oid, j.detail,
       n.nspname::text as child_schema, c.relname::text as child_name,
       exists (select from pg_inherits i where i.inhrelid = c.oid and i.inhparent = j.parent) as attached
  from shardwright.partition_job j
  left join pg_class c on c.oid = j.child
  left join pg_namespace n on n.oid = c.relnamespace
 where j.parent = $1::oid
 order by j.id`

export interface JobRow {
  readonly id: string
  readonly kind: 'retire' | 'repair'
  readonly child_oid: string
  readonly detail: unknown
  readonly child_schema: string | null
  readonly child_name: string | null
  readonly attached: boolean
}
