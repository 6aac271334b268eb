import type { FleetConnection } from '@shardwright/core'
import { ViewError } from '../errors/view-error.ts'

/** Whether the server has Citus. */
async function hasCitus(connection: FleetConnection): Promise<boolean> {
  const { rows } = await connection.query<{ citus: boolean }>(
    "select to_regclass('pg_catalog.pg_dist_partition') is not null as citus",
  )
  return rows[0]?.citus === true
}

/**
 * Row triggers do not exist on tables that Citus manages. `what` says for what one was wanted.
 * @throws ViewError TRIGGER_ON_CITUS
 */
export async function refuseDistributed(connection: FleetConnection, table: string, what: string): Promise<void> {
  if (!(await hasCitus(connection))) return
  const { rows } = await connection.query(
    'select 1 from pg_catalog.pg_dist_partition where logicalrelid = to_regclass($1)',
    [table],
  )
  if (rows.length === 0) return
  throw new ViewError({
    code: 'TRIGGER_ON_CITUS',
    message: `${what} needs a row trigger on ${table}, and Citus has none on its tables.`,
    details: { table, shard: connection.shardId },
  })
}
