import type { Collector } from './collector.ts'

/**
 * How many partitions of a table begin after now, of tables that are partitioned by ranges of one time column and that still
 * grow: a table whose last partition ended more than a day ago is an archive.
 */
export const partitionsAhead: Collector = Object.freeze<Collector>({
  name: 'partitions-ahead',
  async collect(connection) {
    const { rows } = await connection.query<{ name: string; ahead: number }>(`
      with bounds as (
        select p.partrelid, pg_get_expr(c.relpartbound, c.oid) as bound
        from pg_partitioned_table p
          join pg_attribute a on a.attrelid = p.partrelid and a.attnum = p.partattrs[0]
          join pg_inherits i on i.inhparent = p.partrelid
          join pg_class c on c.oid = i.inhrelid
        where p.partstrat = 'r' and p.partnatts = 1
          and a.atttypid in ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype)
      ), ranges as (
        select partrelid, substring(bound from 'FROM \\(''([^'']+)''\\)') as low, substring(bound from 'TO \\(''([^'']+)''\\)') as high,
          bound ~ 'TO \\(MAXVALUE\\)' as endless
        from bounds
      )
      select format('%I.%I', n.nspname, c.relname) as name, count(*) filter (where low::timestamptz > now())::int as ahead
      from ranges r join pg_class c on c.oid = r.partrelid join pg_namespace n on n.oid = c.relnamespace
      group by 1
      having max(high::timestamptz) > now() - interval '1 day' and not bool_or(endless)`)
    return rows.map(({ name, ahead }) => ({
      metric: 'partitions_ahead',
      labels: { shard: connection.shardId, table: name },
      value: ahead,
    }))
  },
})
