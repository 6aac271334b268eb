import type { Collector } from './collector.ts'
import { toNumber } from './sample.ts'

type CounterRow = Readonly<Record<'hit' | 'read' | 'commits' | 'rollbacks' | 'deadlocks' | 'temp_bytes', string>>

/**
 * What pg_stat_database counts, as it grew since the last round. A ratio since the last reset would hide an hour of misses
 * behind a year of hits.
 */
export const databaseCounters: Collector = Object.freeze<Collector>({
  name: 'database-counters',
  async collect(connection, memory, nowMs) {
    const { rows } = await connection.query<CounterRow>(`
      select blks_hit as hit, blks_read as read, xact_commit as commits, xact_rollback as rollbacks, deadlocks, temp_bytes
      from pg_stat_database where datname = current_database()`)
    const labels = { shard: connection.shardId }
    const growth = (name: keyof CounterRow) => memory.growth(name, toNumber(rows[0]?.[name]), nowMs)
    const hit = growth('hit')?.by
    const read = growth('read')?.by
    const blocks = hit === undefined || read === undefined ? 0 : hit + read
    return [
      // Without a block read there is no ratio, neither good nor bad.
      { metric: 'cache_hit_ratio', labels, value: blocks === 0 ? undefined : (hit as number) / blocks },
      { metric: 'commits_per_second', labels, value: growth('commits')?.perSecond },
      { metric: 'rollbacks_per_second', labels, value: growth('rollbacks')?.perSecond },
      { metric: 'deadlocks_per_second', labels, value: growth('deadlocks')?.perSecond },
      { metric: 'temp_bytes_per_second', labels, value: growth('temp_bytes')?.perSecond },
    ]
  },
})
