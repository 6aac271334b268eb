import type { Collector } from './collector.ts'
import { toNumber } from './sample.ts'

interface ReplicaRow {
  readonly now_lsn: string
  readonly replica: string | null
  readonly replay_lsn: string | null
  readonly bytes: string | null
  readonly seconds: string | null
}

/**
 * The lag of each replica, in bytes and in time. The time is at least PostgreSQL's own, and at least what was seen from round
 * to round. Replicas that are not connected do not appear: their metrics go missing, and their number falls.
 */
export const replication: Collector = Object.freeze<Collector>({
  name: 'replication',
  async collect(connection, memory, nowMs) {
    const { rows } = await connection.query<ReplicaRow>(`
      with here as (select pg_current_wal_lsn() as lsn)
      select here.lsn::text as now_lsn,
        coalesce(nullif(r.application_name, 'walreceiver'), host(r.client_addr) || ':' || r.client_port, r.pid::text)
          as replica,
        r.replay_lsn::text as replay_lsn, greatest(0, pg_wal_lsn_diff(here.lsn, r.replay_lsn)) as bytes,
        extract(epoch from r.replay_lag) as seconds
      from here left join pg_stat_replication r
        on r.pid in (select pid from pg_stat_get_wal_senders()) and not exists (
          select from pg_replication_slots s where s.active_pid = r.pid and s.slot_type = 'logical')
      where pg_is_in_recovery() is false`)
    const shard = connection.shardId
    const first = rows[0]
    if (first !== undefined) memory.lag.mark(first.now_lsn, nowMs)
    const replicas = rows.filter((row) => row.replica !== null)
    return [
      { metric: 'replicas', labels: { shard }, value: replicas.length },
      ...replicas.flatMap((row) => {
        const labels = { shard, replica: row.replica ?? '' }
        return [
          { metric: 'replication_lag_bytes', labels, value: toNumber(row.bytes) },
          {
            metric: 'replication_lag_seconds',
            labels,
            value: secondsOf(row, memory.lag.behindMs(row.replay_lsn ?? '0/0', nowMs)),
          },
        ]
      }),
    ]
  },
})

function secondsOf({ replay_lsn, bytes, seconds }: ReplicaRow, behindMs: number): number | undefined {
  // NULL positions: the role may not see them, or the replica has just connected.
  if (replay_lsn === null) return undefined
  // An idle replica keeps the lag of its last record for a while.
  if (toNumber(bytes) === 0) return 0
  return Math.max(behindMs / 1000, toNumber(seconds) ?? 0)
}
