import type { ColumnDataType, Kysely } from 'kysely'
import type { MigrationContext } from '../migration/migration-context.ts'
import { createShardedTable } from './create-sharded-table.ts'
import { requirePlacement } from './require-context.ts'

export interface LookupColumns {
  /** The column that is looked up; the table is sharded by it, so it is unique over all shards. */
  readonly value: { readonly column: string; readonly type: ColumnDataType }
  /** The shard key that it leads to. */
  readonly key: { readonly column: string; readonly type: ColumnDataType }
}

/**
 * Creates a table that leads from a value that is unique everywhere (an e-mail address) to a shard key, and so gives
 * both a global UNIQUE and a way to the shard. The schema places it: `sharded('email', { family: 'email' })`.
 *
 * @throws PlacementError PLACEMENT_UNKNOWN, KEY_NOT_IN_PRIMARY_KEY, CONTEXT_INCOMPLETE
 * @example
 * await createLookupTable(db, context, 'user_by_email', {
 *   value: { column: 'email', type: 'text' }, key: { column: 'user_id', type: 'uuid' },
 * })
 */
export async function createLookupTable(
  db: Kysely<unknown>,
  context: MigrationContext,
  name: string,
  { value, key }: LookupColumns,
): Promise<void> {
  const { schema, table } = requirePlacement(context, name, 'sharded')
  await createShardedTable(db, context, name, (builder) =>
    builder
      .addColumn(value.column, value.type, (column) => column.notNull())
      .addColumn(key.column, key.type, (column) => column.notNull())
      .addPrimaryKeyConstraint(`${table}_pkey`.slice(-63), [value.column] as never),
  )
  await db.withSchema(schema).schema.createIndex(`${table}_key_idx`.slice(-63)).on(table).column(key.column).execute()
}
