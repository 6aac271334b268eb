import type { FleetConnection } from '@shardwright/core'
import type { Subject } from './registry.ts'

/**
 * Rows inserted, updated and deleted so far in the tables under a view (through other views, with all partitions), by
 * PostgreSQL's own statistics: writers pay nothing for it. Rolled back rows count too, which only refreshes once more; and so
 * does a new file of a table, since TRUNCATE counts no rows. On Citus the tables' shards are asked.
 */
export async function countChanges(connection: FleetConnection, view: Subject): Promise<string> {
  const { rows } = await connection.query<{ changes: string; citus: boolean; tables: string[] }>(
    `with recursive under(oid) as (
       select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relname = $2
       union
       select d.refobjid from under u
         join pg_rewrite r on r.ev_class = u.oid
         join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
          and d.refclassid = 'pg_class'::regclass and d.refobjid <> u.oid
     ), leaves as (
       select distinct coalesce(t.relid::oid, u.oid) as oid
         from under u left join lateral pg_partition_tree(u.oid) t on t.isleaf
     )
     select coalesce(sum(${countOf('l.oid')}), 0)::int8::text as changes,
       to_regclass('pg_catalog.pg_dist_partition') is not null as citus,
       coalesce(array_agg(l.oid::regclass::text), '{}') as tables
       from leaves l join pg_class c on c.oid = l.oid where c.relkind = 'r'`,
    [view.schema, view.name],
  )
  const [found] = rows
  if (!found) return '0'
  return found.citus ? String(BigInt(found.changes) + (await onCitus(connection, found.tables))) : found.changes
}

function countOf(oid: string): string {
  return `pg_stat_get_tuples_inserted(${oid}) + pg_stat_get_tuples_updated(${oid})
    + pg_stat_get_tuples_deleted(${oid}) + pg_relation_filenode(${oid})::int8`
}

/** The coordinator's own tables are empty shells there, whose statistics stand still. */
async function onCitus(connection: FleetConnection, tables: readonly string[]): Promise<bigint> {
  const { rows } = await connection.query<{ changes: string }>(
    `select coalesce(sum(s.result::int8), 0)::text as changes
     from pg_dist_partition d, lateral run_command_on_shards(d.logicalrelid, $2) s
     where d.logicalrelid = any($1::regclass[]) and s.success`,
    [tables, `select ${countOf("'%1$s'::regclass")}`],
  )
  return BigInt(rows[0]?.changes ?? '0')
}
