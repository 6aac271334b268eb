import type { FleetConnection } from '@shardwright/core'

/** Makes the partitions that the source has, parents before children. Returns how many were missing. */
export async function copyPartitions(from: FleetConnection, to: FleetConnection): Promise<number> {
  const { rows } = await from.query<{ table: string; create: string }>(selectPartitions)
  let made = 0
  for (const { table, create } of rows) {
    const there = await to.query<{ found: boolean }>('select to_regclass($1) is not null as found', [table])
    if (there.rows[0]?.found) continue
    await to.query(create)
    made++
  }
  return made
}

const selectPartitions = `
with recursive tree as (
  select c.oid, 0 as depth from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind = 'p' and not c.relispartition and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'shardwright')
  union all
  select i.inhrelid, tree.depth + 1 from tree join pg_inherits i on i.inhparent = tree.oid where not i.inhdetachpending
)
select format('%I.%I', n.nspname, c.relname) as "table",
  format('create table %I.%I partition of %s %s', n.nspname, c.relname, i.inhparent::regclass, pg_get_expr(c.relpartbound, c.oid))
    || coalesce(' partition by ' || pg_get_partkeydef(c.oid), '') as "create"
from tree join pg_class c on c.oid = tree.oid join pg_namespace n on n.oid = c.relnamespace join pg_inherits i on i.inhrelid = c.oid
where tree.depth > 0 order by tree.depth, 1`
