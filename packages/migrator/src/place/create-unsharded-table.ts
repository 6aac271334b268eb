import type { Kysely } from 'kysely'
import type { MigrationContext } from '../migration/migration-context.ts'
import type { BuildTable } from './create-sharded-table.ts'
import { requirePlacement } from './require-context.ts'

/**
 * Creates a table that the schema places as reference: the same on every shard.
 *
 * @throws PlacementError PLACEMENT_UNKNOWN, CONTEXT_INCOMPLETE
 * @example
 * await createReferenceTable(db, context, 'festivals', (t) => t.addColumn('id', 'uuid', (c) => c.primaryKey()))
 */
export async function createReferenceTable(
  db: Kysely<unknown>,
  context: MigrationContext,
  name: string,
  build: BuildTable,
): Promise<void> {
  const { schema, table } = requirePlacement(context, name, 'reference')
  await build(db.withSchema(schema).schema.createTable(table)).execute()
}

/**
 * Creates a table that the schema places on one shard: there, and nowhere else.
 *
 * @throws PlacementError PLACEMENT_UNKNOWN, CONTEXT_INCOMPLETE
 * @example
 * await createSingleTable(db, context, 'settings', (t) => t.addColumn('name', 'text', (c) => c.primaryKey()))
 */
export async function createSingleTable(
  db: Kysely<unknown>,
  context: MigrationContext,
  name: string,
  build: BuildTable,
): Promise<void> {
  const { schema, table, shard } = requirePlacement(context, name, 'single')
  if (shard !== context.shardId) return
  await build(db.withSchema(schema).schema.createTable(table)).execute()
}
