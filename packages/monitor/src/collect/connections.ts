import type { Collector } from './collector.ts'
import { toNumber } from './sample.ts'

/** Sessions of the whole server: `max_connections` is shared by its databases. Ours is one of them. */
export const connections: Collector = Object.freeze<Collector>({
  name: 'connections',
  async collect(connection) {
    const { rows } = await connection.query<{ state: string; sessions: string; usable: string }>(`
      select coalesce(state, 'unknown') as state, count(*) as sessions,
        current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int as usable
      from pg_stat_activity where backend_type = 'client backend' group by 1`)
    const shard = connection.shardId
    const used = rows.reduce((sum, { sessions }) => sum + Number(sessions), 0)
    const usable = toNumber(rows[0]?.usable)
    const states = ['active', 'idle', 'idle in transaction', 'idle in transaction (aborted)', 'unknown']
    return [
      { metric: 'connections_ratio', labels: { shard }, value: usable && used / usable },
      ...states.map((state) => ({
        metric: 'connections',
        labels: { shard, state },
        // No row of a state does mean none: the view was read whole.
        value: toNumber(rows.find((row) => row.state === state)?.sessions) ?? 0,
      })),
    ]
  },
})
