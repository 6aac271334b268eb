import type { FleetConnection } from '@shardwright/core'
import type { Subject } from './registry.ts'

/**
 * How long ago, by the server's clock, the refresh that lies furthest back was tried, milliseconds: Infinity when one of
 * the subjects never was.
 */
export async function oldestAttemptMs(connection: FleetConnection, subjects: readonly Subject[]): Promise<number> {
  const exists = await connection.query<{ there: boolean }>(
    "select to_regclass('shardwright.views') is not null as there",
  )
  if (exists.rows[0]?.there !== true) return Number.POSITIVE_INFINITY
  const { rows } = await connection.query<{ age: number | null }>(
    `select (extract(epoch from clock_timestamp() - greatest(v.refreshed_at, v.failed_at)) * 1000)::float8 as age
       from unnest($1::text[], $2::text[]) as s(schema_name, name) left join shardwright.views v using (schema_name, name)`,
    [subjects.map(({ schema }) => schema), subjects.map(({ name }) => name)],
  )
  return Math.max(...rows.map(({ age }) => age ?? Number.POSITIVE_INFINITY))
}
