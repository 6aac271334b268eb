import type { Kysely } from 'kysely'
import type { MigrationContext } from '../migration/migration-context.ts'
import { keepTableLocal, onCitus, replicateTable } from './citus-placement.ts'
import type { BuildTable } from './create-sharded-table.ts'
import { isHere, requirePlacement } from './require-context.ts'

/**
 * Creates a table that the schema places as reference: the same on every shard, or a reference table of Citus.
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
  const placement = requirePlacement(context, name, 'reference')
  await build(db.withSchema(placement.schema).schema.createTable(placement.table)).execute()
  if (onCitus(context)) await replicateTable(db, placement)
}

/**
 * Creates a table that the schema places on one shard: there, and nowhere else. On Citus it is a local table of the
 * coordinator, whatever the shard's name.
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
  const placement = requirePlacement(context, name, 'single')
  if (!isHere(placement, context)) return
  await build(db.withSchema(placement.schema).schema.createTable(placement.table)).execute()
  if (onCitus(context)) await keepTableLocal(db, placement)
}
