import type { Lookup } from '@shardwright/core'
import type { RouterState } from '../execute/context.ts'

/** A duplicate among the entries of a lookup, told as one PostgreSQL tells it of the looked up table. */
export function uniqueError(error: unknown, lookup: Lookup, state: RouterState): unknown {
  const own = error as { code?: unknown; table?: unknown } | null
  if (!(error instanceof Error) || own?.code !== '23505' || own.table !== lookup.entries.table) return error
  const constraint = constraintOf(lookup, state)
  return Object.assign(error, {
    message: error.message.replace(/"[^"]*"/, `"${constraint}"`),
    schema: lookup.table.schema,
    table: lookup.table.table,
    constraint,
    lookup: lookup.name,
    lookupColumn: lookup.column,
  })
}

/** The table's own unique constraint of the column, which each shard checks for itself, if there is one. */
function constraintOf(lookup: Lookup, state: RouterState): string {
  const { schema, table } = lookup.table
  const uniques = state.catalog.table(schema, table)?.uniques ?? []
  return uniques.find(({ columns }) => columns?.length === 1 && columns[0] === lookup.column)?.name ?? lookup.name
}
