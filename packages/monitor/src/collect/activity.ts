import type { Collector } from './collector.ts'
import { toNumber } from './sample.ts'

interface ActivityRow {
  readonly transaction_seconds: string
  readonly idle_in_transaction_seconds: string
  readonly lock_wait_seconds: string
  readonly waiting: string
  readonly prepared: string
  readonly prepared_seconds: string
}

/** Long transactions, waits for locks and prepared transactions of the shard's database. */
export const activity: Collector = Object.freeze<Collector>({
  name: 'activity',
  async collect(connection) {
    // clock_timestamp(), as now() would be older than what began meanwhile.
    const { rows } = await connection.query<ActivityRow>(`
      select
        coalesce(max(extract(epoch from clock_timestamp() - a.xact_start)), 0) as transaction_seconds,
        coalesce(max(extract(epoch from clock_timestamp() - a.state_change))
          filter (where a.state like 'idle in transaction%'), 0) as idle_in_transaction_seconds,
        (select coalesce(max(extract(epoch from clock_timestamp() - l.waitstart)), 0)
          from pg_locks l join pg_stat_activity w on w.pid = l.pid
          where not l.granted and w.datname = current_database()) as lock_wait_seconds,
        count(*) filter (where a.wait_event_type = 'Lock') as waiting,
        (select count(*) from pg_prepared_xacts where database = current_database()) as prepared,
        (select coalesce(max(extract(epoch from clock_timestamp() - prepared)), 0)
          from pg_prepared_xacts where database = current_database()) as prepared_seconds
      from pg_stat_activity a
      where a.datname = current_database() and a.backend_type = 'client backend' and a.pid <> pg_backend_pid()`)
    const labels = { shard: connection.shardId }
    const row = rows[0]
    return [
      { metric: 'longest_transaction_seconds', labels, value: toNumber(row?.transaction_seconds) },
      { metric: 'longest_idle_in_transaction_seconds', labels, value: toNumber(row?.idle_in_transaction_seconds) },
      { metric: 'longest_lock_wait_seconds', labels, value: toNumber(row?.lock_wait_seconds) },
      { metric: 'sessions_waiting_for_locks', labels, value: toNumber(row?.waiting) },
      { metric: 'in_doubt_transactions', labels, value: toNumber(row?.prepared) },
      { metric: 'oldest_in_doubt_seconds', labels, value: toNumber(row?.prepared_seconds) },
    ]
  },
})
