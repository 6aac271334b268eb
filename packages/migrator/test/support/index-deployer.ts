import { createFleet } from '@shardwright/core'
import pg from 'pg'
import { createMigrator, sqlMigration } from '../../src/index.ts'

// Run as a process of its own, to be killed.
const shards = JSON.parse(process.argv[2] ?? '[]')
const migration = await sqlMigration(
  '0001_index',
  '-- shardwright: transaction=false\ncreate index concurrently items_v on items (v)',
)
await createMigrator({ fleet: createFleet({ shards, Client: pg.Client }), migrations: [migration] }).up()
