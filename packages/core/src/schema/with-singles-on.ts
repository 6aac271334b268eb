import { ResolvedSchema } from './resolved-schema.ts'
import type { Schema } from './schema.ts'
import type { TablePlacement } from './table-placement.ts'

/**
 * The same schema with every single table on one given shard: on Citus they are all on the coordinator, whichever shards
 * they were placed on.
 * @example
 * withSinglesOn(schema, 'coordinator')
 */
export function withSinglesOn<Database, Placements>(
  schema: Schema<Database, Placements>,
  shard: string,
): Schema<Database, Placements> {
  const tables = schema.tables.map(
    (table): TablePlacement => (table.kind === 'single' ? Object.freeze({ ...table, shard }) : table),
  )
  const { families, lookups, naming, defaultSchema } = schema
  return new ResolvedSchema({ tables, families, lookups, naming, defaultSchema })
}
