import { defineRepository, type ShardKey } from '@shardwright/core'
import type { Generated, Kysely } from 'kysely'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'

export interface Database {
  wallets: {
    festival_id: ShardKey<string>
    id: Generated<string>
    owner: string | null
    balance: string
    note: Generated<string>
  }
  orders: { festival_id: ShardKey<string>; id: string; total: number }
  'app.festivals': { id: string; name: string }
}
const wallets = defineRepository<Database>()('wallets', { id: ['festival_id', 'id'], key: 'festival_id' })
const orders = defineRepository<Database>()('orders', { id: ['id'], key: 'festival_id' })
const festivals = defineRepository<Database>()('app.festivals', { id: ['id'] })

export interface RepositoryPlace {
  readonly db: Kysely<Database>
  /** Empties the tables. */
  empty(): Promise<void>
  stop(): Promise<void>
}

export interface RepositorySuite {
  /** Whether an id can be unique by itself, and not only beside its shard key. */
  readonly uniqueAlone: boolean
  start(): Promise<RepositoryPlace>
}

/** The tables of the suite, all of them empty. */
export function repositoryTables({ uniqueAlone }: Pick<RepositorySuite, 'uniqueAlone'>): string {
  return `
      create schema app;
      create table wallets (festival_id text not null, id text not null default gen_random_uuid(), owner text,
        balance numeric not null, note text not null default 'new', primary key (festival_id, id));
      create table orders (festival_id text not null, id text not null, total int not null,
        primary key (${uniqueAlone ? 'id' : 'festival_id, id'}));
      create table app.festivals (id text primary key, name text not null);`
}

/** What repositories promise, on any server. */
export function testRepository({ uniqueAlone, start }: RepositorySuite): void {
  let place: RepositoryPlace
  let db: Kysely<Database>

  beforeAll(async () => {
    place = await start()
    db = place.db
  })
  afterAll(() => place?.stop())
  beforeEach(() => place.empty())

  it('says what it is', () => {
    expect(wallets).toMatchObject({ table: 'wallets', idColumns: ['festival_id', 'id'], keyColumn: 'festival_id' })
    expect(festivals.keyColumn).toBeUndefined()
    expect(Object.isFrozen(wallets)).toBe(true)
  })

  it('inserts, finds, updates and deletes one row', async () => {
    const repository = wallets.with(db)
    const row = await repository.insert({ festival_id: 'f', id: 'w', balance: '10.50' })
    expect(row).toEqual({ festival_id: 'f', id: 'w', owner: null, balance: '10.50', note: 'new' })
    expect(await repository.findById({ festival_id: 'f', id: 'w' })).toEqual(row)
    expect(await repository.findById({ festival_id: 'g', id: 'w' })).toBeUndefined()
    expect(await repository.update({ festival_id: 'f', id: 'w' }, { balance: '7' })).toEqual({ ...row, balance: '7' })
    expect(await repository.update({ festival_id: 'f', id: 'x' }, { balance: '7' })).toBeUndefined()
    expect(await repository.update({ festival_id: 'f', id: 'w' }, {})).toMatchObject({ balance: '7' })
    expect(await repository.update({ festival_id: 'f', id: 'w' }, { balance: undefined })).toMatchObject({
      balance: '7',
    })
    expect(await repository.delete({ festival_id: 'f', id: 'w' })).toBe(true)
    expect(await repository.delete({ festival_id: 'f', id: 'w' })).toBe(false)
  })

  it('inserts many in order and finds by filter, IN, NULL, order, limit and offset', async () => {
    const repository = wallets.with(db)
    const given = Array.from({ length: 20 }, (_, i) => ({
      festival_id: i % 2 ? 'f' : 'g',
      id: `w${i}`,
      balance: String(i),
      owner: i < 4 ? null : `o${i}`,
    }))
    const stored = await repository.insertMany(given)
    expect(stored.map(({ id }) => id)).toEqual(given.map(({ id }) => id))
    expect(await repository.insertMany([])).toEqual([])
    const found = await repository.findMany(
      { festival_id: 'f' },
      { orderBy: [['balance', 'desc'], 'id'], limit: 3, offset: 1 },
    )
    expect(found.map(({ id }) => id)).toEqual(['w17', 'w15', 'w13'])
    expect(await repository.findMany({ festival_id: ['f', 'g'], owner: null })).toHaveLength(4)
    expect(await repository.findMany({ festival_id: 'g', id: ['w2', 'w4', 'w5'] })).toHaveLength(2)
    expect(await repository.findMany({ festival_id: [] })).toEqual([])
    expect(await repository.findMany({ festival_id: 'f', id: [] })).toEqual([])
  })

  it('upserts to the given columns only', async () => {
    const repository = wallets.with(db)
    await repository.upsert({ festival_id: 'f', id: 'w', balance: '1', owner: 'anna' })
    expect(await repository.upsert({ festival_id: 'f', id: 'w', balance: '2' })).toMatchObject({
      balance: '2',
      owner: 'anna',
    })
    const festival = festivals.with(db)
    await festival.upsert({ id: 'f', name: 'one' })
    expect(await festival.upsert({ id: 'f', name: 'two' })).toEqual({ id: 'f', name: 'two' })
    expect(await festival.findMany({})).toHaveLength(1)
  })

  if (uniqueAlone) {
    it('never moves a row to another key', async () => {
      const repository = orders.with(db)
      await repository.upsert({ festival_id: 'f', id: 'o', total: 1 })
      expect(await repository.upsert({ festival_id: 'f', id: 'o', total: 2 })).toMatchObject({ total: 2 })
      await expect(repository.upsert({ festival_id: 'g', id: 'o', total: 3 })).rejects.toMatchObject({
        code: 'ROW_OF_ANOTHER_KEY',
      })
      expect(await repository.findById({ festival_id: 'g', id: 'o' })).toBeUndefined()
      const changes = { festival_id: 'g' } as never
      await expect(repository.update({ festival_id: 'f', id: 'o' }, changes)).rejects.toMatchObject({
        code: 'ID_NOT_UPDATABLE',
      })
      expect(await repository.findById({ festival_id: 'f', id: 'o' })).toMatchObject({ total: 2 })
    })
  }

  it('works in a transaction, and what is rolled back is gone', async () => {
    const failed = db.transaction().execute(async (trx) => {
      await wallets.with(trx).insert({ festival_id: 'f', id: 'w', balance: '1' })
      expect(await wallets.with(trx).findById({ festival_id: 'f', id: 'w' })).toBeDefined()
      throw new Error('no')
    })
    await expect(failed).rejects.toThrow('no')
    expect(await wallets.with(db).findById({ festival_id: 'f', id: 'w' })).toBeUndefined()
  })

  it('refuses calls without key or id, and conditions that would vanish', async () => {
    const repository = wallets.with(db)
    const calls = [
      () => repository.findById({ id: 'w' } as never),
      () => repository.findById({ festival_id: 'f' } as never),
      () => repository.findById({ festival_id: null, id: 'w' } as never),
      () => repository.findMany({} as never),
      () => repository.findMany({ festival_id: undefined } as never),
      () => repository.findMany({ festival_id: 'f', owner: undefined } as never),
      () => repository.insert({ id: 'w', balance: '0' } as never),
      () => repository.insertMany([{ festival_id: 'f', balance: '0' }, { balance: '0' } as never]),
      () => repository.upsert({ festival_id: 'f', balance: '0' }),
      () => repository.update({ id: 'w' } as never, { balance: '0' }),
      () => repository.delete({ festival_id: 'f' } as never),
    ]
    for (const call of calls)
      await expect(call()).rejects.toMatchObject({ name: 'RepositoryError', code: 'KEY_MISSING' })
    expect(await db.selectFrom('wallets').select('id').execute()).toEqual([])
  })

  it('refuses more values than one statement carries', async () => {
    const rows = Array.from({ length: 22_000 }, (_, i) => ({ festival_id: 'f', id: String(i), balance: '0' }))
    await expect(wallets.with(db).insertMany(rows)).rejects.toMatchObject({ code: 'TOO_MANY_VALUES' })
  })
}
