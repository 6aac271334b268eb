import type { FleetConnection } from '@shardwright/core'
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
 * a few percent mean nothing). It waits for nobody: of a table that somebody holds in ACCESS EXCLUSIVE mode, or waits to hold
 * so, the size is the one that VACUUM or ANALYZE saw last.
 */
export const sizes: Collector = Object.freeze<Collector>({
  name: 'sizes',
  async collect(connection) {
    const shard = connection.shardId
    const database = await connection.query<{ bytes: string }>('select pg_database_size(current_database()) as bytes')
    const tables = await readTables(connection)
    return [
      { metric: 'database_bytes', labels: { shard }, value: toNumber(database.rows[0]?.bytes) },
      ...tables.flatMap((row) => {
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

/** The exact sizes open the tables; when one was taken after we looked who holds what, all are told as last seen. */
async function readTables(connection: FleetConnection): Promise<readonly TableRow[]> {
  await connection.query('set lock_timeout = 250')
  try {
    return (await connection.query<TableRow>(tableSql, [largest, false])).rows
  } catch (error) {
    if ((error as { code?: unknown } | null)?.code !== '55P03') throw error
    return (await connection.query<TableRow>(tableSql, [largest, true])).rows
  } finally {
    // A broken connection needs no setting, and its own error is the one to tell.
    await connection.query('reset lock_timeout').catch(() => {})
  }
}

const tableSql = `
  with biggest as materialized (
    select c.oid, c.relname, n.nspname, c.relpages, c.reltuples, c.reloptions, c.reltoastrelid
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'm') and c.relpersistence <> 't' and n.nspname not in ('pg_catalog', 'information_schema')
    order by c.relpages desc, c.oid limit $1
  ), taken as materialized (
    select relation from pg_locks
    where locktype = 'relation' and mode = 'AccessExclusiveLock'
      and database = (select oid from pg_database where datname = current_database())
  ), rows as materialized (
    select b.*, (
      select sum((1 - s.null_frac) * s.avg_width) from pg_stats s
      where s.schemaname = b.nspname and s.tablename = b.relname and not s.inherited
    ) as width,
    coalesce((select substring(o from '^fillfactor=(\\d+)$')::int from unnest(b.reloptions) o where o like 'fillfactor=%'),
      100) as fill,
    $2::bool or b.oid in (select relation from taken) or b.reltoastrelid in (select relation from taken) or exists (
      select from pg_index i where i.indrelid in (b.oid, b.reltoastrelid) and i.indexrelid in (select relation from taken)
    ) as held,
    current_setting('block_size')::int8 as block
    from biggest b
  )
  select format('%I.%I', r.nspname, r.relname) as name,
    case when held then block * (relpages + coalesce((select t.relpages from pg_class t where t.oid = r.reltoastrelid), 0))
      else pg_table_size(r.oid) end as table_bytes,
    case when held then block * (select coalesce(sum(x.relpages), 0) from pg_index i join pg_class x on x.oid = i.indexrelid
        where i.indrelid = r.oid)
      else pg_indexes_size(r.oid) end as index_bytes,
    t.n_dead_tup::float8 / nullif(t.n_live_tup + t.n_dead_tup, 0) as dead_ratio,
    case when relpages > 0 and reltuples >= 0 then greatest(0, 1 - ceil(
      reltuples * (4 + ceil((24 + width) / 8) * 8) / ((block - 24) * fill / 100.0)
    ) / relpages) end as bloat_ratio
  from rows r left join pg_stat_all_tables t on t.relid = r.oid`
