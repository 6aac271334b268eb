import { type Cache, cached, createCache, createOutbox, installOutbox } from '@shardwright/cache'
import { defineRepository, defineSchema, type ShardKey, sharded } from '@shardwright/core'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { createShardRouter } from '@shardwright/shard-router'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

interface Database {
  wallets: { festival_id: ShardKey<string>; id: number; balance: string }
}

const schema = defineSchema<Database>()({ tables: { wallets: sharded('festival_id') } })
const repository = defineRepository<Database>()('wallets', { id: ['festival_id', 'id'], key: 'festival_id' })
const festivals = ['f0', 'f1', 'f2', 'f3', 'f4', 'f5', 'f6', 'f7']

let cluster: LocalCluster
let router: ReturnType<typeof open>
let cache: Cache
const open = () => createShardRouter({ schema, topology: { hash: 'postgres', ...cluster.topologyInput() } })

beforeAll(async () => {
  cluster = await startLocalCluster({ shards: 2, databasePerShard: true })
  for (const shard of cluster.fleet().shards) {
    await using connection = await shard.connect()
    await connection.script(
      'create table wallets (festival_id text, id int, balance numeric not null, primary key (festival_id, id))',
    )
  }
  await installOutbox(cluster.fleet(), {
    namespace: 'router',
    tables: [{ table: 'wallets', id: ['festival_id', 'id'], key: 'festival_id' }],
  })
  router = open()
})

afterAll(async () => {
  await router?.close()
  await cluster?.stop()
})

beforeEach(async () => {
  cache = createCache({ namespace: 'router' })
  for (const festival_id of festivals) {
    await router.db.deleteFrom('wallets').where('festival_id', '=', festival_id).execute()
    await router.db.insertInto('wallets').values({ festival_id, id: 1, balance: '10' }).execute()
  }
})

const loads = () => cache.statistics().wallets?.loads ?? 0

describe('a cached repository over a shard router', () => {
  for (const strategy of ['read-through', 'write-through', 'cache-aside'] as const) {
    test(`${strategy}: writes of one key's transaction are seen at its commit, not before, not after a rollback`, async () => {
      const wallets = cached(repository, { cache, strategy, db: router.db })
      const id = { festival_id: 'f1', id: 1 }
      expect((await wallets.with(router.db).findById(id))?.balance).toBe('10')
      await router
        .for({ festival_id: 'f1' })
        .transaction()
        .execute(async (trx) => {
          await wallets.with(trx).update(id, { balance: '20' })
          expect((await wallets.with(trx).findById(id))?.balance).toBe('20')
          expect((await wallets.with(router.db).findById(id))?.balance).toBe('10')
        })
      expect((await wallets.with(router.db).findById(id))?.balance).toBe('20')
      const before = loads()
      const failed = router
        .for({ festival_id: 'f1' })
        .transaction()
        .execute(async (trx) => {
          await wallets.with(trx).update(id, { balance: '99' })
          throw new Error('no')
        })
      await expect(failed).rejects.toThrow('no')
      expect((await wallets.with(router.db).findById(id))?.balance).toBe('20')
      expect(loads()).toBe(before)
    })
  }

  test('an atomic transaction over both shards invalidates at its commit', async () => {
    const wallets = cached(repository, { cache, strategy: 'read-through' })
    const read = async () =>
      await Promise.all(
        festivals.map(async (festival_id) => (await wallets.with(router.db).findById({ festival_id, id: 1 }))?.balance),
      )
    expect(await read()).toEqual(festivals.map(() => '10'))
    await router.transaction({ crossShard: 'atomic' }).execute(async (trx) => {
      for (const festival_id of festivals) await wallets.with(trx).update({ festival_id, id: 1 }, { balance: '30' })
      expect(await read()).toEqual(festivals.map(() => '10'))
    })
    expect(await read()).toEqual(festivals.map(() => '30'))
    const failed = router.transaction({ crossShard: 'atomic' }).execute(async (trx) => {
      for (const festival_id of festivals) await wallets.with(trx).update({ festival_id, id: 1 }, { balance: '40' })
      throw new Error('no')
    })
    await expect(failed).rejects.toThrow('no')
    expect(await read()).toEqual(festivals.map(() => '30'))
    expect(loads()).toBe(16)
  })

  test("a savepoint's rollback drops only its own", async () => {
    const wallets = cached(repository, { cache, strategy: 'read-through' })
    const one = { festival_id: 'f2', id: 1 }
    const two = { festival_id: 'f2', id: 2 }
    await wallets.with(router.db).insert({ ...two, balance: '1' })
    const trx = await router.for({ festival_id: 'f2' }).startTransaction().execute()
    await wallets.with(trx).update(one, { balance: '50' })
    const inner = await trx.savepoint('inner').execute()
    await wallets.with(inner).update(two, { balance: '60' })
    await inner.rollbackToSavepoint('inner').execute()
    await trx.commit().execute()
    expect((await wallets.with(router.db).findById(one))?.balance).toBe('50')
    expect((await wallets.with(router.db).findById(two))?.balance).toBe('1')
  })

  test('the outbox of every shard is drained over the fleet', async () => {
    const outbox = createOutbox({ fleet: router.fleet, pollMs: 20 })
    await using heard = createCache({ namespace: 'router', outbox })
    const wallets = cached(repository, { cache: heard, strategy: 'read-through' }).with(router.db)
    for (const festival_id of festivals) await wallets.findById({ festival_id, id: 1 })
    for (const shard of router.fleet.shards) {
      await using connection = await shard.connect()
      await connection.query('update wallets set balance = 70')
    }
    const end = Date.now() + 30_000
    for (const festival_id of festivals) {
      while ((await wallets.findById({ festival_id, id: 1 }))?.balance !== '70') {
        if (Date.now() > end) throw new Error('the outbox was not heard')
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    }
  })
})
