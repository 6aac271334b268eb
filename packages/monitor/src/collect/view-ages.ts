import type { Collector } from './collector.ts'
import { toNumber } from './sample.ts'

/**
 * How old the rows of the view-manager's views and rollups are, through the views that they read; missing while one was never
 * refreshed. Registries of before have no `as_of`.
 */
export const viewAges: Collector = Object.freeze<Collector>({
  name: 'view-ages',
  async collect(connection) {
    const exists = await connection.query<{ there: boolean }>(
      "select to_regclass('shardwright.views') is not null as there",
    )
    if (exists.rows[0]?.there !== true) return []
    const { rows } = await connection.query<{ name: string; age: string | null }>(
      `select schema_name || '.' || name as name,
         extract(epoch from clock_timestamp() - coalesce((to_jsonb(v) ->> 'as_of')::timestamptz, refreshed_at)) as age
       from shardwright.views v`,
    )
    return rows.map(({ name, age }) => ({
      metric: 'view_age_seconds',
      labels: { shard: connection.shardId, view: name },
      value: toNumber(age),
    }))
  },
})
