import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Cases } from './cases/fixture.ts'
import type { AnyKysely } from './world/database.ts'

let cases: Cases

beforeAll(async () => {
  cases = await Cases.start()
  await cases.fill()
})

afterAll(async () => {
  await cases?.[Symbol.asyncDispose]()
})

const at = sql`timestamptz '2024-01-01'`.as('at')

test('rows for other shards travel in chunks, not bounded by maxRows', async () => {
  const numbers = (db: AnyKysely) =>
    db
      .insertInto('U')
      .columns(['k', 'id', 'x', 'at'])
      .expression((eb) =>
        eb
          .selectFrom(sql<{ i: number }>`generate_series(1000, 13000)`.as(sql`s(i)`))
          .select([sql`s.i % 50`.as('k'), sql`s.i`.as('id'), sql`s.i % 7`.as('x'), at]),
      )
  const small = cases.router.fanOut({ maxRows: 100 }) as unknown as AnyKysely
  await numbers(cases.one).execute()
  const [inserted] = await numbers(small).execute()
  expect(inserted?.numInsertedOrUpdatedRows).toBe(12_001n)
  // Every row moves to the shard of another key; the statement does not see what it adds.
  const doubled = (db: AnyKysely) =>
    db
      .insertInto('U')
      .columns(['k', 'id', 'x', 'at'])
      .expression((eb) =>
        eb
          .selectFrom('U')
          .select([sql`k + 50`.as('k'), 'id', 'x', at])
          .where('id', '>=', 1000)
          .orderBy('id'),
      )
  await doubled(cases.one).execute()
  const [again] = await doubled(small).execute()
  expect(again?.numInsertedOrUpdatedRows).toBe(12_001n)
  await cases.same((db) =>
    db
      .selectFrom('U')
      .select((eb) => ['x', eb.fn.countAll().as('n'), eb.fn.sum('id').as('ids'), eb.fn.sum('k').as('ks')])
      .groupBy('x'),
  )
  // Each row is where its key says.
  const moved = await cases.keyed.selectFrom('U').select('id').where('k', '=', 77).execute()
  expect(moved).toHaveLength(240)
  for (const db of [cases.one, cases.all]) await db.deleteFrom('U').where('id', '>=', 1000).execute()
})

test('one that fails in a later chunk leaves nothing behind', async () => {
  const failing = cases.all
    .insertInto('U')
    .columns(['k', 'id'])
    .expression((eb) =>
      eb
        .selectFrom(sql<{ i: number }>`generate_series(1, 7000)`.as(sql`s(i)`))
        .select([sql`s.i % 50 + 100`.as('k'), sql`case when s.i = 6999 then 49 else s.i end`.as('id')]),
    )
  await expect(failing.execute()).rejects.toMatchObject({ code: '23505' })
  expect(await cases.all.selectFrom('U').select('id').where('k', '>=', 100).execute()).toEqual([])
})

test('RETURNING, ON CONFLICT, and one moment for the default of a column', async () => {
  const rows = (db: AnyKysely) =>
    db
      .insertInto('U')
      .columns(['k', 'id', 'x'])
      .expression((eb) =>
        eb
          .selectFrom('T')
          .select([sql`x + 200`.as('k'), 'id', 'v'])
          .where('g', '=', 1),
      )
  await cases.same((db) => rows(db).returning(['k', 'id', 'x']))
  await cases.same((db) =>
    rows(db)
      .onConflict((oc) => oc.doNothing())
      .returning('id'),
  )
  await cases.same((db) =>
    rows(db)
      .onConflict((oc) => oc.columns(['k', 'id']).doUpdateSet({ x: 5 }))
      .returning(['k', 'id', 'x']),
  )
  // Pushed down: the key is the key of the rows.
  await cases.all
    .insertInto('U')
    .columns(['k', 'id'])
    .expression((eb) => eb.selectFrom('T').select(['k', sql`id + 5000`.as('id')]))
    .execute()
  const times = await cases.all.selectFrom('U').select('at').where('id', '>=', 5000).distinct().execute()
  expect(times).toHaveLength(1)
  const travelled = await cases.all.selectFrom('U').select('at').where('k', '>=', 200).distinct().execute()
  expect(travelled).toHaveLength(1)
})

test('inside a transaction it sees what the transaction wrote, and leaves with it', async () => {
  const work = async (db: AnyKysely) => {
    await db
      .insertInto('T')
      .values([1, 2, 3].map((k) => ({ k, id: 900 + k, x: k, g: 9 })))
      .execute()
    await db
      .insertInto('U')
      .columns(['k', 'id', 'x', 'at'])
      .expression((eb) =>
        eb
          .selectFrom('T')
          .select([sql`x + 300`.as('k'), 'id', 'x', at])
          .where('g', '=', 9),
      )
      .execute()
    return await db.selectFrom('U').select(['k', 'id']).where('k', '>=', 300).orderBy('k').execute()
  }
  const expected = await cases.one.transaction().execute((trx) => work(trx))
  const inside = cases.router.transaction({ crossShard: 'atomic', fanOut: true })
  await expect(
    inside.execute(async (trx) => {
      expect(await work(trx as unknown as AnyKysely)).toEqual(expected)
      throw new Error('rolled back')
    }),
  ).rejects.toThrow('rolled back')
  expect(await cases.all.selectFrom('U').select('id').where('k', '>=', 300).execute()).toEqual([])
})
