/** $1 parent oid. The prefix that pg_get_indexdef prints is known exactly, so the rest can be cut off safely. */
export const parentIndexQuery = `
select ic.oid::text as oid,
       n.nspname::text as schema,
       ic.relname::text as name,
       x.indisvalid as valid,
       x.indisunique as unique,
       substr(pg_get_indexdef(ic.oid), length(p.prefix) + 1) as definition,
       starts_with(pg_get_indexdef(ic.oid), p.prefix) as readable
  from pg_index x
  join pg_class ic on ic.oid = x.indexrelid
  join pg_class tc on tc.oid = x.indrelid
  join pg_namespace n on n.oid = tc.relnamespace
  cross join lateral (
    select format('CREATE %sINDEX %I ON ONLY %I.%I ', case when x.indisunique then 'UNIQUE ' else '' end,
                  ic.relname, n.nspname, tc.relname) as prefix) p
 where x.indrelid = $1::oid
 order by ic.relname`

export interface ParentIndexRow {
  readonly oid: string
  readonly schema: string
  readonly name: string
  readonly valid: boolean
  readonly unique: boolean
  readonly definition: string
  readonly readable: boolean
}

/** $1 parent oid. Every index of every partition, and which index of the parent it is attached to. */
export const childIndexQuery = `
select x.indrelid::text as partition_oid,
       ic.relname::text as name,
       x.indisvalid as valid,
       i.inhparent::text as parent_index
  from pg_inherits t
  join pg_index x on x.indrelid = t.inhrelid
  join pg_class ic on ic.oid = x.indexrelid
  left join pg_inherits i on i.inhrelid = ic.oid
 where t.inhparent = $1::oid`

export interface ChildIndexRow {
  readonly partition_oid: string
  readonly name: string
  readonly valid: boolean
  readonly parent_index: string | null
}
