import type { FleetConnection } from '@shardwright/core'
import type { Rollup } from './rollup.ts'
import { nextBucketSql, sourceOf, tableOf } from './rollup-sql.ts'

/**
 * Moves the horizon before which buckets keep what they have. It rises with the lowest bound of the attached partitions:
 * once that has risen, rows below it are gone, and summing up again would lose them. Call it inside the refresh, under
 * the lock of the source: no partition goes between this look and the sums.
 */
export async function moveHorizon(connection: FleetConnection, rollup: Rollup): Promise<void> {
  await connection.query(
    `with partitions as (
       select pg_get_expr(c.relpartbound, c.oid) as bound
         from pg_partitioned_table p
         join pg_attribute a on a.attrelid = p.partrelid and a.attnum = p.partattrs[0]
         join pg_inherits i on i.inhparent = p.partrelid and not i.inhdetachpending
         join pg_class c on c.oid = i.inhrelid
        where p.partrelid = $1::regclass and p.partstrat = 'r' and p.partnatts = 1 and a.attname = $2
     ), now_at as (
       select min(coalesce(substring(bound from $$FROM \\('([^']+)'\\)$$)::timestamptz, '-infinity')) as lowest
         from partitions where bound <> 'DEFAULT'
     )
     update shardwright.views v
        set lowest_bound = coalesce(n.lowest, v.lowest_bound),
            frozen_before = greatest(v.frozen_before, case
              when n.lowest > v.lowest_bound then n.lowest
              when n.lowest is null and v.lowest_bound is not null then
                (select ${nextBucketSql(rollup, 'max(bucket)')} from ${tableOf(rollup)})
            end)
       from now_at n
      where v.schema_name = $3 and v.name = $4`,
    [sourceOf(rollup), rollup.time, rollup.schema, rollup.name],
  )
}
