import { defineMigration } from '@shardwright/migrator'
import { sql } from 'kysely'
import { createTables } from './create-tables.ts'

/** In a service they are a folder of files; here a list, so that one file shows them. */
export const migrations = [
  defineMigration({ name: '0001_tables', up: createTables }),
  defineMigration({
    name: '0002_search_indexes',
    // The table has no rows yet, and an index on a partitioned parent cannot be built CONCURRENTLY.
    allow: ['index-without-concurrently'],
    up: async (db) => {
      await sql`create index transactions_search_idx on transactions using gin (to_tsvector('simple', description))`.execute(
        db,
      )
      await sql`create index transactions_details_idx on transactions using gin (details jsonb_path_ops)`.execute(db)
    },
  }),
]
