import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Cases } from './cases/fixture.ts'
import type { AnyKysely } from './world/database.ts'

// Shapes of cases/routing.md that broke other systems, by their numbers: finding the shard. `one` is one PostgreSQL with all rows.
let cases: Cases

beforeAll(async () => {
  cases = await Cases.start()
  await cases.fill()
})

afterAll(async () => {
  await cases?.[Symbol.asyncDispose]()
})

test('1: k IN (1, 3) with GROUP BY k gives both groups', async () => {
  const rows = await cases.same((db) =>
    db
      .selectFrom('T')
      .select((eb) => ['k', eb.fn.countAll().as('n')])
      .where('k', 'in', [1, 3])
      .groupBy('k'),
  )
  expect(rows).toHaveLength(2)
})

test('2: OR: the union of the keys; an arm without a key means all shards', async () => {
  await cases.same((db) =>
    db
      .selectFrom('T')
      .selectAll()
      .where((eb) => eb.or([eb('k', '=', 1), eb.and([eb('k', '=', 2), eb('b', '=', 2)])])),
  )
  const loose = (db: AnyKysely) =>
    db
      .selectFrom('T')
      .selectAll()
      .where((eb) => eb.or([eb('k', '=', 1), eb('b', '=', 2)]))
  await cases.same(loose)
  expect(await cases.refusal(loose, cases.keyed)).toBe('SHARD_KEY_REQUIRED')
})

test('3: NULL and the empty list match nothing, ask nobody and are no error', async () => {
  for (const list of [[], [null]])
    await cases
      .same((db) => db.selectFrom('T').selectAll().where('k', 'in', list), { keyed: list.length > 0 })
      .catch((error) => {
        // One PostgreSQL refuses the `in ()` that Kysely writes; the router does not.
        if (list.length > 0) throw error
      })
  expect(await cases.keyed.selectFrom('T').selectAll().where('k', 'in', []).execute()).toEqual([])
  await cases.same((db) => db.selectFrom('T').selectAll().where('k', '=', null), { keyed: true })
  await cases.same(
    (db) =>
      db
        .selectFrom('T')
        .selectAll()
        .where((eb) => eb('k', '=', eb.fn.any(eb.val([])))),
    { keyed: true },
  )
  await cases.same(
    (db) =>
      db
        .selectFrom('T')
        .select((eb) => eb.fn.countAll().as('n'))
        .where('k', '=', null),
    { keyed: true },
  )
})

test('4: constants convert when lossless; a cast or a function on the column proves nothing', async () => {
  await cases.same(
    (db) =>
      db
        .selectFrom('T')
        .selectAll()
        .where((eb) => eb(eb.val<unknown>(1), '=', eb.ref('k'))),
    { keyed: true },
  )
  await cases.same((db) => db.selectFrom('T').selectAll().where('k', '=', sql`1.0::numeric`))
  await cases.same((db) =>
    db
      .selectFrom('T')
      .selectAll()
      .where((eb) => eb(eb.cast('k', 'text'), '=', '1')),
  )
  await cases.same((db) =>
    db
      .selectFrom('T')
      .selectAll()
      .where((eb) => eb(eb.fn('abs', ['k']), '=', 1)),
  )
  expect(
    await cases.shardsOf(
      (db) =>
        db
          .selectFrom('T')
          .selectAll()
          .where((eb) => eb(eb.cast('k', 'text'), '=', '1')) as never,
    ),
  ).toBe(3)
})

test('5: a key found through an inner join, also through R; not through an outer one', async () => {
  const joined = (db: AnyKysely) =>
    db.selectFrom('T').innerJoin('U', 'U.k', 'T.k').select(['T.id', 'U.id as uid']).where('U.k', '=', 5)
  await cases.same(joined, { keyed: true })
  expect(await cases.shardsOf((db) => joined(db) as never)).toBe(1)
  await cases.same(
    (db) => db.selectFrom('T').innerJoin('R', 'R.id', 'T.k').select(['T.id', 'R.label']).where('R.id', '=', 3),
    { keyed: true },
  )
  const left = (db: AnyKysely) =>
    db
      .selectFrom('T')
      .leftJoin('U', (join) => join.onRef('U.k', '=', 'T.k').on('U.k', '=', 5))
      .select(['T.id', 'U.id as uid'])
  await cases.same(left)
  expect(await cases.refusal(left, cases.keyed)).toBe('SHARD_KEY_REQUIRED')
})

test('6: a join on something else is refused', async () => {
  expect(await cases.refusal((db) => db.selectFrom('T').innerJoin('U', 'U.x', 'T.x').select('T.id'))).toBe(
    'CROSS_SHARD_JOIN',
  )
})

test('7: a self-join with the key on one alias only, aliases, schema-qualified names', async () => {
  const selfJoin = (db: AnyKysely) =>
    db.selectFrom('T as a').innerJoin('T as c', 'c.x', 'a.x').select(['a.id', 'c.id as cid']).where('a.k', '=', 1)
  expect(await cases.refusal(selfJoin)).toBe('CROSS_SHARD_JOIN')
  await cases.same(
    (db) =>
      db.selectFrom('T as a').innerJoin('T as c', 'c.k', 'a.k').select(['a.id', 'c.id as cid']).where('a.k', '=', 1),
    { keyed: true },
  )
  await cases.same((db) => db.selectFrom('public.T as x').selectAll().where('x.k', '=', 1), { keyed: true })
  await cases.same((db) => db.withSchema('public').selectFrom('T').selectAll().where('k', '=', 1), { keyed: true })
})

test('8: the same plan with another key goes to the other shard', async () => {
  for (let k = 0; k < 12; k++)
    await cases.same((db) => db.selectFrom('T').selectAll().where('k', '=', k), { keyed: true })
})

test('9: a CTE named like a table, used twice, and one that writes', async () => {
  await cases.same((db) =>
    db
      .with('U', (q) => q.selectFrom('T').select(['k', 'v as only']))
      .selectFrom('U')
      .select('only'),
  )
  await cases.same((db) =>
    db
      .with('c', (q) => q.selectFrom('T').select(['k', 'id']))
      .selectFrom('c as a')
      .innerJoin('c as b', 'a.k', 'b.k')
      .select(['a.id', 'b.id as other']),
  )
})

test('a CTE named like a table stays within the key of router.for', async () => {
  const confined = cases.router.for({ k: 1 } as never) as unknown as AnyKysely
  const rows = await confined
    .with('T', (db) => db.selectFrom('T').select(['k', 'id']))
    .selectFrom('T')
    .selectAll()
    .execute()
  expect(rows.length).toBeGreaterThan(0)
  expect(new Set(rows.map(({ k }) => k))).toEqual(new Set([1]))
})
