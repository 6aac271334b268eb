import type { Collector } from './collector.ts'
import { toNumber } from './sample.ts'
import { statementsView } from './statements-view.ts'

/** How many statements the server ran, and how long they took on average, since the last round; without the extension nothing. */
export const serverStatements: Collector = Object.freeze<Collector>({
  name: 'server-statements',
  async collect(connection, memory, nowMs) {
    const view = await statementsView(connection)
    if (view === undefined) return []
    const { rows } = await connection.query<{ calls: string | null; total_ms: string | null }>(
      `select sum(calls) as calls, sum(total_exec_time) as total_ms from ${view}
       where dbid = (select oid from pg_database where datname = current_database())`,
    )
    const labels = { shard: connection.shardId }
    const calls = memory.growth('statements.calls', toNumber(rows[0]?.calls), nowMs)
    const total = memory.growth('statements.total_ms', toNumber(rows[0]?.total_ms), nowMs)
    return [
      { metric: 'server_statements_per_second', labels, value: calls?.perSecond },
      {
        metric: 'server_statement_mean_ms',
        labels,
        // The statistics forget rare statements: a sum may shrink, and then nothing is known of this round.
        value: calls && total && calls.by > 0 ? total.by / calls.by : undefined,
      },
    ]
  },
})
