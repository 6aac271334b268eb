import type { FleetConnection } from '@shardwright/core'
import type { Subject } from './registry.ts'

/**
 * Rows inserted, updated and deleted so far in the tables under a view (through other views, with all partitions), by
 * PostgreSQL's own statistics: writers pay nothing for it. Rolled back rows count too, which only refreshes once more; and so
 * does a new file of a table, since TRUNCATE counts no rows.
 */
export async function countChanges(connection: FleetConnection, view: Subject): Promise<string> {
  const { rows } = await connection.query<{ changes: string }>(
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
     select coalesce(sum(pg_stat_get_tuples_inserted(l.oid) + pg_stat_get_tuples_updated(l.oid)
                         + pg_stat_get_tuples_deleted(l.oid) + pg_relation_filenode(l.oid)::int8), 0)::int8::text as changes
       from leaves l join pg_class c on c.oid = l.oid where c.relkind = 'r'`,
    [view.schema, view.name],
  )
  return rows[0]?.changes ?? '0'
}
