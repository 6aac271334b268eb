import { createFleet, defineRepository } from '@shardwright/core'
import { startLocalCluster } from '@shardwright/local-cluster'
import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { type Database, repositoryTables, testRepository } from './repository-suite.ts'

describe('a repository on PostgreSQL', () => {
  testRepository({
    uniqueAlone: true,
    start: async () => {
      const cluster = await startLocalCluster({ shards: 1, databasePerShard: true })
      const fleet = createFleet({ shards: [{ id: 'shard-1', url: cluster.shards[0]!.url }], Client: pg.Client })
      const connection = await fleet.shards[0]!.connect()
      await connection.script(repositoryTables({ uniqueAlone: true }))
      return {
        db: connection.kysely<Database>(),
        empty: () => connection.script('truncate wallets, orders, app.festivals'),
        stop: async () => {
          await connection.release()
          await cluster.stop()
        },
      }
    },
  })

  it.each([[{ id: [] }], [{ id: ['a', 'a'] }], [{ id: 'a' }], [{}], [undefined], [{ id: ['a'], keys: 'b' }]])(
    'refuses the definition %o',
    (definition) => {
      expect(() => defineRepository<Database>()('wallets', definition as never)).toThrow(
        expect.objectContaining({ code: 'INVALID_REPOSITORY' }),
      )
    },
  )
})
