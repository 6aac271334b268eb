import type { Collector } from './collector.ts'
import { toNumber } from './sample.ts'

interface TableRow {
  readonly name: string
  readonly table_bytes: string | null
  readonly index_bytes: string | null
  readonly dead_ratio: string | null
  readonly bloat_ratio: string | null
}

const largest = 20

/**
 * The size of the database and of its largest tables, with two signs of bloat: the share of dead rows, and an estimate of
 * the share of pages that a rewritten table would not need (from ANALYZE's statistics; alignment inside rows is not known, so
 * a few percent mean nothing).
 */
export const sizes: Collector = Object.freeze<Collector>({
  name: 'sizes',
  async collect(connection) {
    const shard = connection.shardId
    const database = await connection.query<{ bytes: string }>('select pg_database_size(current_database()) as bytes')
    const tables = await connection.query<TableRow>(tableSql, [largest])
    return [
      { metric: 'database_bytes', labels: { shard }, value: toNumber(database.rows[0]?.bytes) },
      ...tables.rows.flatMap((row) => {
        const labels = { shard, table: row.name }
        return [
          { metric: 'table_bytes', labels, value: toNumber(row.table_bytes) },
          { metric: 'index_bytes', labels, value: toNumber(row.index_bytes) },
          { metric: 'dead_rows_ratio', labels, value: toNumber(row.dead_ratio) },
          { metric: 'bloat_estimate_ratio', labels, value: toNumber(row.bloat_ratio) },
        ]
      }),
    ]
  },
})

const tableSql = `
  with biggest as (
    select c.oid, c.relname, n.nspname, c.relpages, c.reltuples, c.reloptions
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'm') and c.relpersistence <> 't' and n.nspname not in ('pg_catalog', 'information_schema')
    order by c.relpages desc, c.oid limit $1
  ), rows as (
    select b.*, (
      select sum((1 - s.null_frac) * s.avg_width) from pg_stats s
      where s.schemaname = b.nspname and s.tablename = b.relname and not s.inherited
    ) as width,
    coalesce((select substring(o from '^fillfactor=(\\d+)$')::int from unnest(b.reloptions) o where o like 'fillfactor=%'),
      100) as fill
    from biggest b
  )
  select format('%I.%I', r.nspname, r.relname) as name,
    pg_table_size(r.oid) as table_bytes, pg_indexes_size(r.oid) as index_bytes,
    t.n_dead_tup::float8 / nullif(t.n_live_tup + t.n_dead_tup, 0) as dead_ratio,
    case when relpages > 0 and reltuples >= 0 then greatest(0, 1 - ceil(
      reltuples * (4 + ceil((24 + width) / 8) * 8) / ((current_setting('block_size')::int - 24) * fill / 100.0)
    ) / relpages) end as bloat_ratio
  from rows r left join pg_stat_all_tables t on t.relid = r.oid`
