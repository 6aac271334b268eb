import { createShardedTable, type MigrationContext } from '@shardwright/migrator'
import { type Kysely, sql } from 'kysely'

export async function createTables(db: Kysely<unknown>, context: MigrationContext): Promise<void> {
  await createShardedTable(
    db,
    context,
    'transactions',
    (table) =>
      table
        .addColumn('user_id', 'uuid')
        .addColumn('id', 'uuid')
        .addColumn('created_at', 'timestamptz')
        .addColumn('category', 'text', (column) => column.notNull())
        .addColumn('amount', 'numeric(14, 2)', (column) => column.notNull())
        .addColumn('description', 'text', (column) => column.notNull().defaultTo(''))
        .addColumn('details', 'jsonb', (column) => column.notNull().defaultTo(sql`'{}'::jsonb`))
        .addPrimaryKeyConstraint('transactions_pkey', ['user_id', 'id', 'created_at']),
    { partitionBy: 'created_at' },
  )
  await createShardedTable(
    db,
    context,
    'budgets',
    (table) =>
      table
        .addColumn('user_id', 'uuid')
        .addColumn('category', 'text')
        .addColumn('monthly_limit', 'numeric(14, 2)', (column) => column.notNull())
        .addPrimaryKeyConstraint('budgets_pkey', ['user_id', 'category'])
        .addCheckConstraint('budgets_limit_positive', sql`monthly_limit > 0`),
    { ownership: true },
  )
}
