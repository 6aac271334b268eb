import type { Kysely } from 'kysely'
import type { MigrationContext } from '../../src/index.ts'

export async function up(db: Kysely<unknown>, context: MigrationContext): Promise<void> {
  await db.schema
    .createTable('items')
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('v', 'integer')
    .execute()
  if (context.dryRun) return
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropTable('items').execute()
}
