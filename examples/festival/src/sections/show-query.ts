import type { CheckedQuery, Times } from '../check/check-query.ts'
import type { Platform } from '../platform.ts'
import type { Screen } from '../show/screen.ts'
import { tableOf } from '../show/table.ts'

/** Prints a query: SQL, plan in words, time, rows, and whether one PostgreSQL says the same. */
export async function showQuery(screen: Screen, platform: Platform, checked: CheckedQuery): Promise<void> {
  const { query, rows, statements, shardTimes, oneTimes, difference } = checked
  for (const { query: statement } of statements) {
    screen.field('sql', statement.sql)
    // BEGIN and COMMIT have no tree, and go where the statements between them go.
    if (statement.query.kind === 'RawNode') continue
    const key = query.festival === undefined ? {} : { for: { festival_id: query.festival } }
    const plan = await platform.router.explain(statement, key)
    screen.field('plan', `${plan.kind}: ${plan.shards.join(', ')}, because ${plan.reason}`)
    const onShards = [...new Set(plan.statements.map(({ sql }) => sql))]
    if (plan.merge.length > 0) for (const sql of onShards) screen.field('each', sql)
    for (const step of plan.merge) screen.field('merge', step)
  }
  screen.field('time', `${timesOf(shardTimes)}; one PostgreSQL ${timesOf(oneTimes)}`)
  for (const line of tableOf(rows)) screen.line(`           ${line}`)
  screen.field('check', difference === undefined ? 'equal to one PostgreSQL' : `NOT EQUAL: ${difference}`)
}

function timesOf({ firstMs, laterMs }: Times): string {
  const first = `${firstMs.toFixed(1)} ms`
  return laterMs === undefined ? first : `${first} at first, then ${laterMs.toFixed(1)} ms`
}
