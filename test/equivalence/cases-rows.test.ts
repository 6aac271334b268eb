import { type ExpressionBuilder, sql } from 'kysely'
import { jsonArrayFrom, jsonBuildObject, jsonObjectFrom } from 'kysely/helpers/postgres'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Cases } from './cases/fixture.ts'
import type { AnyKysely } from './world/database.ts'

// Shapes of cases/routing.md that broke other systems, by their numbers: rows, their order, joins and subqueries. `one` is one PostgreSQL with all rows.
let cases: Cases

beforeAll(async () => {
  cases = await Cases.start()
  await cases.fill()
})

afterAll(async () => {
  await cases?.[Symbol.asyncDispose]()
})

test('17: ORDER BY what is not selected, text by its collation, NULLs first and last', async () => {
  for (const direction of ['asc', 'desc'] as const) {
    await cases.same((db) => db.selectFrom('T').select('id').orderBy('name', direction).orderBy('id'), {
      ordered: true,
    })
    await cases.same(
      (db) =>
        db
          .selectFrom('T')
          .select('id')
          .orderBy('name', (ob) => ob[direction]().nullsFirst())
          .orderBy('id'),
      { ordered: true },
    )
    await cases.same(
      (db) =>
        db
          .selectFrom('T')
          .select('id')
          .orderBy('v', (ob) => ob[direction]().nullsLast())
          .orderBy('id'),
      { ordered: true },
    )
    await cases.same(
      (db) =>
        db
          .selectFrom('T')
          .select('id')
          .orderBy('name', (ob) => ob[direction]().collate('C'))
          .orderBy('id'),
      { ordered: true },
    )
  }
})

test('18: LIMIT and OFFSET as parameters and literals, OFFSET alone, LIMIT NULL, WITH TIES', async () => {
  const base = (db: AnyKysely) => db.selectFrom('T').select(['id', 'name']).orderBy('name').orderBy('id')
  await cases.same((db) => base(db).limit(10).offset(20), { ordered: true })
  await cases.same((db) => base(db).limit(sql.lit(10)).offset(sql.lit(20)), { ordered: true })
  await cases.same((db) => base(db).offset(50), { ordered: true })
  await cases.same((db) => base(db).limit(sql<null>`null`), { ordered: true })
  await cases.same((db) => db.selectFrom('T').select('x').orderBy('x').fetch(3, 'with ties'), { ordered: true })
})

test('raw text: joined lists, text in text, directions, comments', async () => {
  await cases.same((db) =>
    db
      .selectFrom('T')
      .select('id')
      .where(sql<boolean>`v in (${sql.join([1, 2, 3])})`),
  )
  const third = sql`${sql.ref('v')} % 3`
  await cases.same((db) =>
    db
      .selectFrom('T')
      .select([third.as('third'), sql`count(*)`.as('n')])
      .groupBy(third),
  )
  await cases.same((db) =>
    db.selectFrom('T').select((eb) => ['id', jsonBuildObject({ id: eb.ref('id'), name: eb.ref('name') }).as('o')]),
  )
  const ordered = (db: AnyKysely) => db.selectFrom('T').select(['id', 'v'])
  await cases.same((db) => ordered(db).orderBy(sql`v desc nulls last`).orderBy('id'), { ordered: true })
  await cases.same(
    (db) =>
      ordered(db)
        .orderBy(sql`${sql.ref('g')} desc, v nulls first, id`)
        .limit(9),
    { ordered: true },
  )
  await cases.same((db) =>
    db
      .selectFrom('T')
      .select((eb) => ['g', eb.fn.agg('array_agg', ['id']).orderBy(sql`v desc nulls last, id`).as('ids')])
      .groupBy('g'),
  )
  await cases.same((db) => ordered(db).modifyEnd(sql`/* route: wallets */`))
})

test('25: DISTINCT and DISTINCT ON with LIMIT and window functions', async () => {
  await cases.same((db) => db.selectFrom('T').select('name').distinct().orderBy('name').limit(4), { ordered: true })
  await cases.same(
    (db) =>
      db.selectFrom('T').distinctOn('g').select(['g', 'id']).orderBy('g').orderBy('v', 'desc').orderBy('id').limit(3),
    { ordered: true },
  )
  await cases.same(
    (db) =>
      db
        .selectFrom('T')
        .select((eb) => [
          'id',
          eb.fn
            .agg('row_number')
            .over((ob) => ob.partitionBy('g').orderBy('id'))
            .as('r'),
        ])
        .orderBy('id'),
    { ordered: true },
  )
})

test('27: R LEFT JOIN T keeps each row of R once', async () => {
  const joined = (db: AnyKysely) => db.selectFrom('R').leftJoin('T', 'T.x', 'R.x')
  await cases.same((db) => joined(db).select(['R.id', 'T.id as tid']))
  await cases.same((db) => joined(db).selectAll())
  await cases.same((db) => joined(db).select(['R.id', 'T.name']).where('T.v', 'is', null))
  await cases.same((db) => joined(db).select(['R.id', 'T.name']).where('T.v', '>', 5))
  await cases.same((db) => joined(db).select(['R.id', 'T.name']).orderBy('T.name', 'desc').orderBy('T.id').limit(9), {
    ordered: true,
  })
  await cases.same((db) =>
    joined(db)
      .select((eb) => ['R.label', 'T.k', 'T.name', eb.fn.sum('T.v').as('v')])
      .groupBy(['R.id', 'T.k', 'T.id']),
  )
  await cases.same((db) =>
    db
      .selectFrom('R')
      .leftJoin('T', (join) => join.onRef('T.x', '=', 'R.x').on('T.v', '>', 1000))
      .select('R.id')
      .where('T.id', 'is', null),
  )
  const fromT = (db: AnyKysely) => db.selectFrom('T')
  await cases.same((db) => fromT(db).rightJoin('R', 'T.x', 'R.x').select(['R.id', 'T.id as tid', 'T.k']))
  await cases.same((db) => fromT(db).fullJoin('R', 'T.x', 'R.x').select(['R.id', 'T.id as tid', 'T.k']))
  await cases.same((db) =>
    joined(db)
      .leftJoin('U', (join) => join.onRef('U.k', '=', 'T.k').onRef('U.id', '=', 'T.id'))
      .select(['R.id', 'T.id as tid', 'U.id as uid']),
  )
  await cases.same((db) =>
    db
      .with('c', (q) => q.selectFrom('T').select(['x', 'id', 'k']))
      .selectFrom('public.R as r')
      .leftJoin('c', 'c.x', 'r.x')
      .leftJoin('c as d', 'd.k', 'c.k')
      .select(['r.id', 'c.id as tid', 'd.id as did']),
  )
  await cases.same((db) =>
    joined(db)
      .select(['R.id', 'T.id as tid'])
      .where((eb) => eb.exists(eb.selectFrom('U').select('U.id').whereRef('U.k', '=', 'T.k').where('U.g', '=', 1)))
      .where('T.k', 'in', db.selectFrom('U').select('U.k')),
  )
  const keyed = (db: AnyKysely) =>
    db
      .selectFrom('R')
      .leftJoin('T', (join) => join.onRef('T.x', '=', 'R.x').on('T.k', '=', 3))
      .select(['R.id', 'T.id as tid'])
  await cases.same(keyed, { keyed: true })
  expect(await cases.refusal((db) => joined(db).select('R.id'), cases.keyed)).toBe('SHARD_KEY_REQUIRED')
})

test('27: subqueries over T for each row of R', async () => {
  await cases.same((db) =>
    db
      .selectFrom('R')
      .select('R.id')
      .where((eb) =>
        eb.not(eb.exists(eb.selectFrom('T').select('T.id').whereRef('T.x', '=', 'R.x').where('T.v', '>', 11))),
      ),
  )
  await cases.same((db) =>
    db
      .selectFrom('R')
      .select('R.id')
      .where((eb) => eb('R.x', 'not in', eb.selectFrom('T').select('T.g').whereRef('T.id', '>', 'R.id'))),
  )
  await cases.same((db) =>
    db
      .selectFrom('R')
      .leftJoinLateral(
        (eb) => eb.selectFrom('T').select(['T.id', 'T.v']).whereRef('T.x', '=', 'R.x').orderBy('T.id').limit(2).as('l'),
        (join) => join.onTrue(),
      )
      .select(['R.id', 'l.id as tid', 'l.v']),
  )
})

test("27: Kysely's JSON helpers, over shards and for rows of R", async () => {
  const inner = (eb: ExpressionBuilder<Record<string, Record<string, unknown>>, string>) =>
    eb
      .selectFrom('T')
      .select((own) => [
        'T.id',
        'T.name',
        jsonArrayFrom(own.selectFrom('U').select('U.id').whereRef('U.k', '=', 'T.k').orderBy('U.id')).as('us'),
      ])
      .orderBy('T.id')
  await cases.same((db) =>
    db.selectFrom('R').select((eb) => ['R.id', jsonArrayFrom(inner(eb).whereRef('T.x', '=', 'R.x')).as('ts')]),
  )
  await cases.same((db) => db.selectFrom('R').select((eb) => ['R.id', jsonArrayFrom(inner(eb)).as('ts')]))
  const perRow = (db: AnyKysely) =>
    db
      .selectFrom('T')
      .select((eb) => [
        'T.id',
        jsonObjectFrom(eb.selectFrom('U').selectAll('U').whereRef('U.k', '=', 'T.k').orderBy('U.id').limit(1)).as('u'),
      ])
      .orderBy('T.id')
  await cases.same(perRow, { ordered: true })
  await cases.same((db) => perRow(db).where('T.k', '=', 1), { keyed: true, ordered: true })
  await cases.same((db) =>
    db
      .selectFrom('T')
      .select((eb) => eb.fn.jsonAgg('T').as('all'))
      .where('T.id', '=', 4),
  )
})

test('28: NOT IN with NULLs and with nothing', async () => {
  await cases.same((db) => db.selectFrom('T').select('id').where('x', 'not in', db.selectFrom('U').select('g')))
  await cases.same((db) =>
    db
      .selectFrom('T')
      .select('id')
      .where('x', 'not in', db.selectFrom('U').select('x').where('x', '>', 100)),
  )
  await cases.same((db) =>
    db
      .selectFrom('T')
      .select('id')
      .where('x', 'not in', db.selectFrom('U').select('x').where('x', '>', 2)),
  )
})
