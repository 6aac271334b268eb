import { createHash } from 'node:crypto'
import type { FleetConnection } from '@shardwright/core'
import type { View } from '../definition/view.ts'
import { wrapServerError } from '../errors/failure.ts'
import { inTransaction } from '../sql/in-transaction.ts'
import { identifier, qualified } from '../sql/quote.ts'

/** Where new views are built beside the old ones. Under the same names, so that their readers find them there first. */
export const stagingSchema = 'shardwright_build'

export interface BuiltView {
  readonly view: View
  /** The moment before the build's snapshot, or null when it was built without rows. */
  readonly refreshedAt: string | null
}

/** Empties the staging schema: what a process that died has left is in nobody's use. */
export async function clearStaging(connection: FleetConnection): Promise<void> {
  await connection.script(
    `set client_min_messages to warning; drop schema if exists ${stagingSchema} cascade; create schema ${stagingSchema}; reset client_min_messages`,
  )
}

export async function dropStaging(connection: FleetConnection): Promise<void> {
  await connection.script(
    `set client_min_messages to warning; drop schema if exists ${stagingSchema} cascade; reset client_min_messages`,
  )
}

/** Builds a view with its indexes in the staging schema, in one transaction. */
export async function buildBeside(connection: FleetConnection, view: View, populate: boolean): Promise<BuiltView> {
  const name = qualified(stagingSchema, view.name)
  try {
    return await inTransaction(connection, async () => {
      await connection.script(`set local statement_timeout to ${view.refresh.budgetMs}`)
      await connection.query(
        "select set_config('search_path', concat_ws(', ', $1::text, nullif(current_setting('search_path'), '')), true)",
        [`${stagingSchema}, ${identifier(view.schema)}`],
      )
      const { rows } = await connection.query<{ moment: string }>('select now()::text as moment')
      await connection.query(
        `create materialized view ${name} as ${view.sql} ${populate ? 'with data' : 'with no data'}`,
      )
      await connection.query(uniqueIndexSql(view, stagingSchema, ''))
      for (const index of view.indexes) {
        await connection.query(`create index ${identifier(index.name)} on ${name} (${columnList(index.columns)})`)
      }
      // Its readers are planned by it from the moment of the swap.
      if (populate) await connection.query(`analyze ${name}`)
      return { view, refreshedAt: populate ? (rows[0]?.moment ?? null) : null }
    })
  } catch (error) {
    throw wrapServerError(error, `building the view ${view.schema}.${view.name} on the shard ${connection.shardId}`)
  }
}

export function uniqueIndexSql(
  view: View,
  schema: string,
  how: '' | 'concurrently',
  name = uniqueIndexName(view),
): string {
  const table = qualified(schema, view.name)
  return `create unique index ${how} ${identifier(name)} on ${table} (${columnList(view.uniqueOn)})`
}

export function uniqueIndexName(view: View): string {
  // Short enough for any view, and never that of an index made by hand or of another view.
  const digest = createHash('sha256').update(`${view.name} ${view.hash}`).digest('hex')
  return `${view.name.slice(0, 15)}_${digest.slice(0, 8)}_key`
}

function columnList(columns: readonly string[]): string {
  return columns.map(identifier).join(', ')
}
