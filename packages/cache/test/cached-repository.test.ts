import { startLocalCluster } from '@shardwright/local-cluster'
import { Kysely, PostgresDialect, sql } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Cache, cached, cachedQuery, createCache } from '../src/index.ts'
import { createWallets, type Database, scopedKysely, walletRepository } from './repository.ts'

let cluster: Awaited<ReturnType<typeof startLocalCluster>>
let db: Kysely<Database>
let cache: Cache
const id = { festival_id: 'f1', id: '00000000-0000-4000-8000-00000000000a' }
const wallet = { ...id, balance: '10.00', version: 1 }

beforeAll(async () => {
  cluster = await startLocalCluster({ shards: 1, databasePerShard: true })
  db = scopedKysely<Database>(cluster.shards[0]!.url)
  await sql.raw(createWallets).execute(db)
})

afterAll(async () => {
  await db?.destroy()
  await cluster?.stop()
})

beforeEach(async () => {
  await db.deleteFrom('wallets').execute()
  cache = createCache({ namespace: 'repository' })
})

const readThrough = () => cached(walletRepository, { cache, strategy: 'read-through' })
const loads = (name = 'wallets') => cache.statistics()[name]?.loads ?? 0

describe('reads', () => {
  test('rows come from the cache, with the type of the repository', async () => {
    const wallets = readThrough().with(db)
    await wallets.insert(wallet)
    const row = await wallets.findById(id)
    expect(row).toEqual(wallet)
    const balance: string | undefined = row?.balance
    expect(balance).toBe('10.00')
    await wallets.findById(id)
    expect(loads()).toBe(1)
  })

  test('an absent row is absent until an insert', async () => {
    const wallets = readThrough().with(db)
    expect(await wallets.findById(id)).toBeUndefined()
    expect(await wallets.findById(id)).toBeUndefined()
    expect(loads()).toBe(1)
    await wallets.insert(wallet)
    expect(await wallets.findById(id)).toEqual(wallet)
  })

  test('lists end with any write to the same shard key, and only that', async () => {
    const wallets = readThrough().with(db)
    await wallets.insertMany([wallet, { ...wallet, festival_id: 'f2' }])
    const list = () => wallets.findMany({ festival_id: 'f1' }, { orderBy: ['id'] })
    expect(await list()).toHaveLength(1)
    await wallets.update({ ...id, festival_id: 'f2' }, { version: 2 })
    ;(await list()).push(wallet)
    expect(await list()).toHaveLength(1)
    expect(loads('wallets.list')).toBe(1)
    await wallets.insert({ ...wallet, id: '00000000-0000-4000-8000-00000000000b' })
    expect(await list()).toHaveLength(2)
    expect(await wallets.findMany({ festival_id: ['f1', 'f2'] })).toHaveLength(3)
    await wallets.delete({ ...id, festival_id: 'f2' })
    expect(await wallets.findMany({ festival_id: ['f1', 'f2'] })).toHaveLength(2)
  })

  test('an id that is spelled otherwise than stored finds its row and hides no write', async () => {
    const wallets = readThrough().with(db)
    const shouted = { ...id, id: id.id.toUpperCase() }
    expect(await wallets.findById(shouted)).toBeUndefined()
    await wallets.insert(wallet)
    expect(await wallets.findById(shouted)).toEqual(wallet)
    expect(await wallets.findById(id)).toEqual(wallet)
    await wallets.update(shouted, { balance: '11.00' })
    expect((await wallets.findById(id))?.balance).toBe('11.00')
    expect((await wallets.findById(shouted))?.balance).toBe('11.00')
    await wallets.delete(shouted)
    expect(await wallets.findById(id)).toBeUndefined()
  })
})

describe('transactions', () => {
  test('a write is seen by others at its commit and not before; inside, reads bypass the cache', async () => {
    const wallets = readThrough()
    await wallets.with(db).insert(wallet)
    await wallets.with(db).findById(id)
    await db.transaction().execute(async (trx) => {
      await wallets.with(trx).update(id, { balance: '20.00' })
      expect((await wallets.with(trx).findById(id))?.balance).toBe('20.00')
      expect(await wallets.with(trx).findMany({ festival_id: 'f1' })).toMatchObject([{ balance: '20.00' }])
      expect((await wallets.with(db).findById(id))?.balance).toBe('10.00')
      expect(await cache.peek({ name: 'wallets', tenant: 'f1', id: ['f1', id.id] })).toBeDefined()
    })
    expect((await wallets.with(db).findById(id))?.balance).toBe('20.00')
    expect(loads()).toBe(2)
  })

  test('a rollback publishes and invalidates nothing', async () => {
    const wallets = readThrough()
    await wallets.with(db).insert(wallet)
    await wallets.with(db).findById(id)
    const failed = db.transaction().execute(async (trx) => {
      await wallets.with(trx).update(id, { balance: '99.00' })
      throw new Error('no')
    })
    await expect(failed).rejects.toThrow('no')
    expect((await wallets.with(db).findById(id))?.balance).toBe('10.00')
    expect(loads()).toBe(1)
  })

  test("a savepoint's rollback drops only its own", async () => {
    const wallets = readThrough()
    const other = { ...id, id: '00000000-0000-4000-8000-00000000000c' }
    await wallets.with(db).insertMany([wallet, { ...wallet, ...other }])
    await wallets.with(db).findById(id)
    await wallets.with(db).findById(other)
    const trx = await db.startTransaction().execute()
    await wallets.with(trx).update(id, { balance: '30.00' })
    const inner = await trx.savepoint('inner').execute()
    await wallets.with(inner).update(other, { balance: '40.00' })
    const outer = await inner.rollbackToSavepoint('inner').execute()
    await wallets.with(outer).update(id, { version: 2 })
    await outer.commit().execute()
    expect(await wallets.with(db).findById(id)).toMatchObject({ balance: '30.00', version: 2 })
    expect((await wallets.with(db).findById(other))?.balance).toBe('10.00')
    expect(loads()).toBe(3)
  })

  test('an invalidation of any entry and tag can belong to a transaction', async () => {
    const key = { name: 'sum', tenant: 'f1', id: 'all' }
    await cache.getOrLoad(key, async () => 1, { tags: ['sums'] })
    await db.transaction().execute(async (trx) => {
      expect(await cache.invalidateTag('sums', { within: trx })).toBe('at-commit')
      expect(await cache.getOrLoad(key, async () => 2, { tags: ['sums'] })).toBe(1)
    })
    expect(await cache.getOrLoad(key, async () => 3, { tags: ['sums'] })).toBe(3)
  })

  test('a transaction that cannot tell its commit is refused before it writes', async () => {
    const plain = new Kysely<Database>({
      dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: cluster.shards[0]!.url, max: 2 }) }),
    })
    const wallets = readThrough()
    const refused = plain.transaction().execute(async (trx) => await wallets.with(trx).insert(wallet))
    await expect(refused).rejects.toMatchObject({ code: 'COMMIT_SCOPE_REQUIRED' })
    expect(await walletRepository.with(plain).findById(id)).toBeUndefined()
    await plain.destroy()
  })
})

describe('strategies', () => {
  test('write-through: a written row is there before the write returns, as the server stored it', async () => {
    const wallets = cached(walletRepository, { cache, strategy: 'write-through', db: db })
    await wallets.with(db).insert({ ...wallet, balance: '7.5' })
    expect(await cache.peek({ name: 'wallets', tenant: 'f1', id: ['f1', id.id] })).toMatchObject({
      value: { balance: '7.5' },
    })
    const before = loads()
    expect((await wallets.with(db).findById(id))?.balance).toBe('7.5')
    await db.transaction().execute(async (trx) => {
      for (let version = 2; version < 20; version++) await wallets.with(trx).update(id, { version })
    })
    expect((await wallets.with(db).findById(id))?.version).toBe(19)
    expect(loads() - before).toBeLessThanOrEqual(18)
    await wallets.with(db).delete(id)
    expect(await wallets.with(db).findById(id)).toBeUndefined()
  })

  test('write-through needs to know where to read, strategies are checked', () => {
    expect(() => cached(walletRepository, { cache, strategy: 'write-through' })).toThrow(/db/)
    expect(() => cached(walletRepository, { cache, strategy: 'sideways' as 'read-through' })).toThrow(/strategy/)
    expect(() => cached(walletRepository, { cache, strategy: 'read-through', ttlMs: 0 })).toThrow(/ttlMs/)
  })

  test('cache-aside invalidates on write', async () => {
    const wallets = cached(walletRepository, { cache, strategy: 'cache-aside', ttlMs: 3_600_000 }).with(db)
    await wallets.upsert(wallet)
    await wallets.findById(id)
    await wallets.upsert({ ...wallet, balance: '12.00' })
    expect((await wallets.findById(id))?.balance).toBe('12.00')
  })

  test('a write whose outcome is unknown invalidates', async () => {
    const wallets = readThrough()
    await wallets.with(db).insert(wallet)
    await wallets.with(db).findById(id)
    await expect(wallets.with(db).update(id, { balance: 'no number' })).rejects.toThrow()
    await wallets.with(db).findById(id)
    expect(loads()).toBe(2)
  })
})

describe('queries', () => {
  test('rows of any query, by text, parameters and key; a repository ends them by its tag; transactions bypass', async () => {
    const wallets = readThrough().with(db)
    await wallets.insert(wallet)
    const rich = async (than: string, over: Kysely<Database> = db) =>
      await cachedQuery(over, (from) => from.selectFrom('wallets').select('id').where('balance', '>', than), {
        cache,
        key: { festival_id: 'f1' },
        tags: ['wallets:"f1"'],
      })
    expect(await rich('5')).toHaveLength(1)
    expect(await rich('50')).toHaveLength(0)
    ;(await rich('5')).pop()
    expect(await rich('5')).toHaveLength(1)
    expect(loads('query')).toBe(2)
    await wallets.update(id, { balance: '60' })
    expect(await rich('50')).toHaveLength(1)
    await db.transaction().execute(async (trx) => {
      await trx.updateTable('wallets').set({ balance: '1' }).execute()
      expect(await rich('50', trx)).toHaveLength(0)
    })
  })

  test('loads are limited per shard', async () => {
    const asked: unknown[] = []
    const shardOf = (key: unknown) => {
      asked.push(key)
      return 'shard-1'
    }
    await cached(walletRepository, { cache, strategy: 'read-through', shardOf }).with(db).findById(id)
    expect(asked).toEqual(['f1'])
  })
})
