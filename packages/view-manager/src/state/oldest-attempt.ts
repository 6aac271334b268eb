import type { FleetConnection } from '@shardwright/core'
import type { Subject } from './registry.ts'

/**
 * How long ago, by the server's clock, the refresh that lies furthest back was tried, milliseconds: Infinity when one of
 * the subjects never was. Undefined when none of them is installed: what is not there cannot be refreshed, and one that is
 * missing, as on a new shard, must not make the others due again and again.
 */
export async function oldestAttemptMs(
  connection: FleetConnection,
  subjects: readonly Subject[],
): Promise<number | undefined> {
  const exists = await connection.query<{ there: boolean }>(
    "select to_regclass('shardwright.views') is not null as there",
  )
  if (exists.rows[0]?.there !== true) return undefined
  const { rows } = await connection.query<{ age: number | null }>(
    `select (extract(epoch from clock_timestamp() - greatest(v.refreshed_at, v.failed_at)) * 1000)::float8 as age
       from unnest($1::text[], $2::text[]) as s(schema_name, name) join shardwright.views v using (schema_name, name)`,
    [subjects.map(({ schema }) => schema), subjects.map(({ name }) => name)],
  )
  if (rows.length === 0) return undefined
  return Math.max(...rows.map(({ age }) => age ?? Number.POSITIVE_INFINITY))
}
