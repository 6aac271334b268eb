import type { FleetConnection } from '@shardwright/core'
import { quoteIdentifier } from '../sql/quote.ts'
import { stateSchema } from './state-table.sql.ts'

/**
 * Takes our own schema out of the session's search_path. A database user who is called like it has it there by
 * `"$user"`, and unqualified tables of a migration would be created among our own objects.
 */
export async function keepOwnSchemaOffSearchPath(connection: FleetConnection): Promise<void> {
  const { rows } = await connection.query<{ schemas: string[] }>('select current_schemas(false)::text[] as schemas')
  const schemas = rows[0]?.schemas ?? []
  if (!schemas.includes(stateSchema)) return
  const path = schemas.filter((schema) => schema !== stateSchema).map(quoteIdentifier)
  await connection.query(`select set_config('search_path', $1, false)`, [path.join(', ')])
}
