import { defineSchema, reference, sharded } from '@shardwright/core'
import { citusAvailability, citusFromEnvironment } from '@shardwright/local-cluster'
import { createShardRouter } from '@shardwright/shard-router'
import { describe } from 'vitest'
import { type Database, repositoryTables, testRepository } from '../../../core/test/repository/repository-suite.ts'
import { onServer } from './cluster-fixture.ts'

const schema = defineSchema<Database>()({
  tables: { wallets: sharded('festival_id'), orders: sharded('festival_id'), 'app.festivals': reference() },
})
const { available } = await citusAvailability()

const distribute = `
  select create_distributed_table('wallets', 'festival_id', shard_count => 8, colocate_with => 'none');
  select create_distributed_table('orders', 'festival_id', colocate_with => 'wallets');
  select create_reference_table('app.festivals');`

describe.skipIf(!available)('a repository on Citus, by way of the router', () => {
  testRepository({
    // Citus wants the distribution column in every unique constraint.
    uniqueAlone: false,
    start: async () => {
      const citus = await citusFromEnvironment()
      const database = await citus.createDatabase()
      await onServer(database.url, `${repositoryTables({ uniqueAlone: false })} ${distribute}`)
      const router = createShardRouter({ schema, topology: database.topologyInput() })
      return {
        db: router.fanOut(),
        empty: async () => {
          await onServer(database.url, 'truncate wallets, orders; truncate app.festivals')
        },
        stop: async () => {
          await router.close()
          await citus.stop()
        },
      }
    },
  })
})
