import { columnSettings } from './table-settings.ts'

/** $1 schema, $2 table. One row when the server knows the table, none otherwise. */
export const parentQuery = `
select c.oid::text as oid,
       c.relkind::text as relkind,
       c.relreplident::text as replica_identity,
       pg_get_userbyid(c.relowner)::text as owner,
       pg_has_role(current_user, c.relowner, 'USAGE') and pg_get_userbyid(c.relowner) = current_user as owned_by_us,
       ts.spcname::text as tablespace,
       p.partstrat::text as strategy,
       p.partnatts as key_columns,
       a.attname::text as key_column,
       t.typname::text as key_type,
       coalesce(${columnSettings('c')}, '') as column_settings,
       md5(concat_ws('; ',
         (select string_agg(concat_ws(' ', w.attname, format_type(w.atttypid, w.atttypmod), w.attnotnull, w.attgenerated, w.attidentity,
                   pg_get_expr(f.adbin, f.adrelid)), ', ' order by w.attnum)
            from pg_attribute w left join pg_attrdef f on f.adrelid = w.attrelid and f.adnum = w.attnum
           where w.attrelid = c.oid and w.attnum > 0 and not w.attisdropped),
         (select string_agg(k.conname || ' ' || pg_get_constraintdef(k.oid), ', ' order by k.conname)
            from pg_constraint k where k.conrelid = c.oid))) as shape,
       (select floor(extract(epoch from greatest(s.last_analyze, s.last_autoanalyze)) * 1000000)::int8::text
          from pg_stat_all_tables s where s.relid = c.oid) as analyzed_at
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  left join pg_tablespace ts on ts.oid = c.reltablespace
  left join pg_partitioned_table p on p.partrelid = c.oid
  left join pg_attribute a on a.attrelid = c.oid and p.partattrs[0] <> 0 and a.attnum = p.partattrs[0]
  left join pg_type t on t.oid = a.atttypid
 where n.nspname = $1 and c.relname = $2 and c.relkind in ('r', 'p')`

export interface ParentRow {
  readonly oid: string
  readonly relkind: string
  readonly replica_identity: string
  readonly owner: string
  readonly owned_by_us: boolean
  readonly tablespace: string | null
  readonly strategy: string | null
  readonly key_columns: number | null
  readonly key_column: string | null
  readonly key_type: string | null
  readonly column_settings: string
  /** A hash of columns and constraints. */
  readonly shape: string
  readonly analyzed_at: string | null
}

/** The server itself, before anything else is asked. */
export const serverQuery = `
select pg_is_in_recovery() as standby,
       current_setting('server_version_num')::int as version,
       floor(extract(epoch from clock_timestamp()) * 1000000)::int8::text as now,
       to_regclass('shardwright.partition_job') is not null as has_journal,
       to_regclass('pg_catalog.pg_dist_partition') is not null as has_citus,
       exists (select from pg_am where amname = 'columnar')
         and to_regproc('pg_catalog.alter_table_set_access_method') is not null as has_columnar`

export interface ServerRow {
  readonly standby: boolean
  readonly version: number
  readonly now: string
  readonly has_journal: boolean
  readonly has_citus: boolean
  readonly has_columnar: boolean
}
