import type { FleetConnection } from '@shardwright/core'
import { ownershipConstraint } from './ownership-constraint.ts'

/** The tables of a shard that have an ownership check, as `schema.table`. */
export async function checkedTables(connection: FleetConnection): Promise<ReadonlySet<string>> {
  const { rows } = await connection.query<{ name: string }>(
    `select n.nspname || '.' || c.relname as name from pg_constraint k join pg_class c on c.oid = k.conrelid
     join pg_namespace n on n.oid = c.relnamespace where k.conname = $1 and not c.relispartition order by 1`,
    [ownershipConstraint],
  )
  return new Set(rows.map((row) => row.name))
}
