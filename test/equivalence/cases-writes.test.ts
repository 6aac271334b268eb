import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Cases } from './cases/fixture.ts'
import type { AnyKysely } from './world/database.ts'

// Shapes of cases/routing.md that broke other systems, by their numbers: writes. `one` is one PostgreSQL with all rows.
let cases: Cases

beforeAll(async () => {
  cases = await Cases.start()
  await cases.fill()
})

afterAll(async () => {
  await cases?.[Symbol.asyncDispose]()
})

test('10: one INSERT for several shards: RETURNING in input order, rows summed', async () => {
  const rows = [11, 3, 7, 0, 5, 8].map((k, i) => ({ k, id: 500 + i, v: i }))
  const returned = await cases.same((db) => db.insertInto('T').values(rows).returning(['k', 'id', 'v']), {
    ordered: true,
  })
  expect(returned).toEqual(rows)
  await cases.same((db) => db.deleteFrom('T').where('id', '>=', 500))
})

test('11: a key that is NULL, missing, DEFAULT or an expression is refused', async () => {
  for (const row of [{ k: null, id: 1 }, { id: 1 }, { k: sql`default`, id: 1 }, { k: sql`1 + 1`, id: 1 }]) {
    const code = await cases.refusal((db) => db.insertInto('T').values([{ k: 1, id: 900 }, row]))
    expect(['SHARD_KEY_MISSING', 'RAW_SQL_NOT_UNDERSTOOD']).toContain(code)
  }
  expect(await cases.all.selectFrom('T').selectAll().where('id', '=', 900).execute()).toEqual([])
})

test('12: INSERT ... SELECT FROM generate_series adds its rows once', async () => {
  await cases.same((db) =>
    db
      .insertInto('T')
      .columns(['k', 'id'])
      .expression((eb) =>
        eb
          .selectFrom(sql<{ i: number }>`generate_series(1, 200)`.as<'s'>(sql`s(i)`))
          .select((q) => [sql`s.i % 12`.as('k'), q(sql<number>`s.i`, '+', 1000).as('id')]),
      ),
  )
  const [count] = await cases.same((db) =>
    db
      .selectFrom('T')
      .select((eb) => eb.fn.countAll().as('n'))
      .where('id', '>', 1000),
  )
  expect(count).toEqual({ n: '200' })
  await cases.same((db) => db.deleteFrom('T').where('id', '>', 1000))
})

test('13: the key cannot be changed; SET k = k is fine', async () => {
  const conflict = (db: AnyKysely) =>
    db
      .insertInto('T')
      .values({ k: 1, id: 7 })
      .onConflict((oc) => oc.columns(['k', 'id']).doUpdateSet({ k: 3 }))
  expect(await cases.refusal(conflict)).toBe('SHARD_KEY_UPDATE')
  expect(await cases.refusal((db) => db.updateTable('T').set({ k: 3 }))).toBe('SHARD_KEY_UPDATE')
  await cases.same((db) => db.updateTable('T').set((eb) => ({ k: eb.ref('k') })))
})

test('14: an UPDATE of R counts one copy and changes all; in a transaction of one shard it is refused or atomic', async () => {
  const [result] = await cases.same((db) =>
    db
      .updateTable('R')
      .set((eb) => ({ label: eb('label', '||', '!') }))
      .where('id', '<=', 2),
  )
  expect(result).toMatchObject({ numUpdatedRows: 2n })
  for (const { id } of cases.topology.shards) {
    const copy = await cases.router
      .onShard(id)
      .selectFrom('R' as never)
      .selectAll()
      .orderBy('id' as never)
      .execute()
    expect(copy).toEqual(await cases.one.selectFrom('R').selectAll().orderBy('id').execute())
  }
})

test('15: now() is one value in a split; what would differ per shard is refused', async () => {
  const rows = [0, 1, 2, 3, 4, 5].map((k) => ({ k, id: 700 + k }))
  await cases.all.insertInto('U').values(rows).execute()
  const times = await cases.all.selectFrom('U').select('at').where('id', '>=', 700).distinct().execute()
  expect(times).toHaveLength(1)
  await cases.all.deleteFrom('U').where('id', '>=', 700).execute()
  expect(await cases.refusal((db) => db.updateTable('T').set({ v: sql`nextval('s')` }))).toMatch(
    /VOLATILE_IN_SPLIT|RAW_SQL/,
  )
})

test('16: one shard fails inside a transaction over shards: nothing is committed', async () => {
  const before = await cases.all.selectFrom('T').selectAll().execute()
  const failing = cases.router.transaction({ crossShard: 'atomic' }).execute(async (trx) => {
    const db = trx as unknown as AnyKysely
    await db.updateTable('T').set({ v: 1000 }).where('k', '=', 1).execute()
    await db
      .insertInto('T')
      .values({ k: 2, id: (before as { k: number; id: number }[]).find(({ k }) => k === 2)?.id })
      .execute()
  })
  await expect(failing).rejects.toMatchObject({ code: '23505' })
  expect(await cases.all.selectFrom('T').selectAll().where('v', '=', 1000).execute()).toEqual([])
})
