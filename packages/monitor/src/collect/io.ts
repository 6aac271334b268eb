import type { FleetConnection } from '@shardwright/core'
import type { Collector } from './collector.ts'
import { toNumber } from './sample.ts'

type IoRow = Readonly<Record<'read_bytes' | 'written_bytes' | 'wal_bytes' | 'waited_ms', string | null>>

/**
 * What the server reads and writes, as it grew since the last round. Of servers before PostgreSQL 16 only the reads of our
 * database are known. `io_waiting_sessions` needs track_io_timing.
 */
export const io: Collector = Object.freeze<Collector>({
  name: 'io',
  async collect(connection, memory, nowMs) {
    const row = await readCounters(connection)
    const labels = { shard: connection.shardId }
    const perSecond = (name: keyof IoRow) => memory.growth(`io.${name}`, toNumber(row?.[name]), nowMs)?.perSecond
    const waitedMs = perSecond('waited_ms')
    return [
      { metric: 'read_bytes_per_second', labels, value: perSecond('read_bytes') },
      { metric: 'written_bytes_per_second', labels, value: perSecond('written_bytes') },
      { metric: 'wal_bytes_per_second', labels, value: perSecond('wal_bytes') },
      { metric: 'io_waiting_sessions', labels, value: waitedMs === undefined ? undefined : waitedMs / 1000 },
    ]
  },
})

async function readCounters(connection: FleetConnection): Promise<IoRow | undefined> {
  const version = await connection.query<{ number: number }>(
    "select current_setting('server_version_num')::int as number",
  )
  const number = version.rows[0]?.number ?? 0
  const sql = number >= 180_000 ? bytesSql : number >= 160_000 ? blocksSql : databaseSql
  return (await connection.query<IoRow>(sql)).rows[0]
}

const shared = `
  case when not pg_is_in_recovery() then pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') end as wal_bytes,
  (select case when current_setting('track_io_timing')::bool then blk_read_time + blk_write_time end
    from pg_stat_database where datname = current_database()) as waited_ms`

const bytesSql = `
  select sum(read_bytes) as read_bytes, sum(coalesce(write_bytes, 0) + coalesce(extend_bytes, 0)) as written_bytes, ${shared}
  from pg_stat_io where object <> 'wal'`

const blocksSql = `
  select sum(reads * op_bytes) as read_bytes,
    sum((coalesce(writes, 0) + coalesce(extends, 0)) * op_bytes) as written_bytes, ${shared}
  from pg_stat_io`

const databaseSql = `
  select blks_read * current_setting('block_size')::int8 as read_bytes, null as written_bytes, ${shared}
  from pg_stat_database where datname = current_database()`
