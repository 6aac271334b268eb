import { addForeignKey, createShardedTable, defineMigration, type MigrationContext } from '@shardwright/migrator'
import { type Kysely, sql } from 'kysely'

/** In a service they are a folder of files; here a list, so that one file shows them. */
export const migrations = [defineMigration({ name: '0001_tables', up: createTables })]

async function createTables(db: Kysely<unknown>, context: MigrationContext): Promise<void> {
  await createShardedTable(db, context, 'users', (table) =>
    table
      .addColumn('id', 'uuid', (column) => column.primaryKey())
      .addColumn('name', 'text', (column) => column.notNull()),
  )
  await createShardedTable(db, context, 'tasks', (table) =>
    table
      .addColumn('user_id', 'uuid')
      .addColumn('id', 'uuid')
      .addColumn('title', 'text', (column) => column.notNull())
      .addColumn('created_at', 'timestamptz', (column) => column.notNull().defaultTo(sql`now()`))
      .addColumn('done_at', 'timestamptz')
      .addPrimaryKeyConstraint('tasks_pkey', ['user_id', 'id']),
  )
  await createShardedTable(db, context, 'habits', (table) =>
    table
      .addColumn('user_id', 'uuid')
      .addColumn('id', 'uuid')
      .addColumn('name', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('habits_pkey', ['user_id', 'id'])
      .addUniqueConstraint('habits_name_key', ['user_id', 'name']),
  )
  await createShardedTable(db, context, 'habit_days', (table) =>
    table
      .addColumn('user_id', 'uuid')
      .addColumn('habit_id', 'uuid')
      .addColumn('day', 'date')
      .addPrimaryKeyConstraint('habit_days_pkey', ['user_id', 'habit_id', 'day']),
  )
  await createShardedTable(db, context, 'goals', (table) =>
    table
      .addColumn('user_id', 'uuid')
      .addColumn('id', 'uuid')
      .addColumn('title', 'text', (column) => column.notNull())
      .addColumn('target', 'integer', (column) => column.notNull())
      .addColumn('progress', 'integer', (column) => column.notNull().defaultTo(0))
      .addPrimaryKeyConstraint('goals_pkey', ['user_id', 'id'])
      .addCheckConstraint('goals_progress', sql`progress between 0 and target`),
  )
  for (const table of ['tasks', 'habits', 'goals']) {
    await addForeignKey(db, context, [table, ['user_id']], ['users', ['id']], { onDelete: 'cascade', validate: true })
  }
  await addForeignKey(db, context, ['habit_days', ['user_id', 'habit_id']], ['habits', ['user_id', 'id']], {
    onDelete: 'cascade',
    validate: true,
  })
}
