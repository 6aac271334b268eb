import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Cases } from './cases/fixture.ts'
import type { AnyKysely } from './world/database.ts'

// Shapes of cases/routing.md that broke other systems, by their numbers: groups and aggregates. `one` is one PostgreSQL with all rows.
let cases: Cases

beforeAll(async () => {
  cases = await Cases.start()
  await cases.fill()
})

afterAll(async () => {
  await cases?.[Symbol.asyncDispose]()
})

test('19: LIMIT over groups is not pushed', async () => {
  await cases.same(
    (db) =>
      db
        .selectFrom('T')
        .select((eb) => ['g', eb.fn.countAll().as('n')])
        .groupBy('g')
        .orderBy('n', 'desc')
        .orderBy('g')
        .limit(2),
    { ordered: true },
  )
})

test('20: ORDER BY avg; the group not selected; avg(numeric) with its digits', async () => {
  await cases.same(
    (db) =>
      db
        .selectFrom('T')
        .select('g')
        .groupBy('g')
        .orderBy((eb) => eb.fn.avg('v'))
        .orderBy('g'),
    { ordered: true },
  )
  await cases.same((db) =>
    db
      .selectFrom('T')
      .select((eb) => eb.fn.avg('n').as('a'))
      .groupBy('g'),
  )
})

test('21: GROUP BY an expression', async () => {
  const day = sql`date_trunc('day', ts)`
  await cases.same((db) =>
    db
      .selectFrom('T')
      .select((eb) => [day.as('day'), eb.fn.sum('v').as('s')])
      .groupBy(day),
  )
})

test('22: DISTINCT aggregates beside others, lists in order, percentiles, bool_and, stddev', async () => {
  await cases.same((db) =>
    db.selectFrom('T').select((eb) => [
      eb.fn.count('x').distinct().as('d'),
      eb.fn.countAll().as('n'),
      eb.fn.sum('x').as('s'),
      eb.fn
        .agg('string_agg', ['name', sql.lit(',')])
        .orderBy('name', 'desc')
        .orderBy('id')
        .as('list'),
      eb.fn.agg('array_agg', ['v']).orderBy('id').as('values'),
      eb.fn
        .agg('percentile_cont', [sql.lit(0.5)])
        .withinGroupOrderBy('v')
        .as('median'),
      eb.fn.agg('bool_and', ['ok']).as('every'),
      eb.fn.agg('stddev', ['v']).as('deviation'),
    ]),
  )
})

test('21: grouping sets over expressions', async () => {
  for (const [expression, sets] of [
    [sql`date_trunc('month', ts)`, sql`rollup(date_trunc('month', ts), g)`],
    [sql`(v + b) * 2`, sql`cube((v + b) * 2, g)`],
    [sql`coalesce(v, 0)`, sql`grouping sets (rollup(coalesce(v, 0), g), (g), ())`],
    [sql`lower(${sql.ref('name')})`, sql`grouping sets ((lower(${sql.ref('name')}), g), ())`],
  ] as const)
    await cases.same((db) =>
      db
        .selectFrom('T')
        .select((eb) => [expression.as('e'), 'g', eb.fn.countAll().as('n'), eb.fn.avg('n').as('average')])
        .groupBy(sets),
    )
  await cases.same((db) =>
    db
      .selectFrom('T')
      .select([sql`v % 3`.as('e'), sql`percentile_cont(0.5) within group (order by x)`.as('median')])
      .groupBy(sql`rollup(v % 3)`),
  )
})

test('22: distinct aggregates beside others travel as distinct values', async () => {
  const beside = (db: AnyKysely) =>
    db
      .selectFrom('T')
      .select((eb) => [
        eb.fn.count('x').distinct().as('x'),
        eb.fn.count('v').distinct().filterWhere('ok', 'is', true).as('v'),
        eb.fn.sum('v').distinct().as('sum'),
        eb.fn.countAll().as('rows'),
        eb.fn.avg('n').as('average'),
      ])
  await cases.same(beside)
  await cases.same((db) => beside(db).where('id', '>', 9999))
  await cases.same((db) => beside(db).select('g').groupBy('g').orderBy('g'), { ordered: true })
  await cases.same((db) => beside(db).select('g').groupBy('g').where('id', '>', 9999))
  await cases.same((db) =>
    db
      .selectFrom('T')
      .innerJoin('U', 'U.k', 'T.k')
      .select((eb) => [
        'T.g',
        eb.fn.count('U.id').distinct().as('us'),
        eb.fn.agg('array_agg', ['T.b']).distinct().orderBy('T.b', 'desc').as('bs'),
        eb.fn.countAll().as('pairs'),
      ])
      .groupBy('T.g')
      .having((eb) => eb(eb.fn.count('T.x').distinct(), '>', 2)),
  )
  const { statements } = await cases.router.explain(beside(cases.all))
  expect(statements[0]?.sql).toContain('group by 1, 2, 3')
})

test('23: empty input: count 0 and sum NULL in one row, no row with GROUP BY; a first shard with NULL', async () => {
  const aggregates = (db: AnyKysely) =>
    db.selectFrom('T').select((eb) => [eb.fn.countAll().as('n'), eb.fn.sum('v').as('s'), eb.fn.min('name').as('m')])
  expect(await cases.same((db) => aggregates(db).where('v', '>', 1_000_000))).toEqual([{ n: '0', s: null, m: null }])
  expect(await cases.same((db) => aggregates(db).where('v', '>', 1_000_000).groupBy('g'))).toEqual([])
  for (let id = 0; id < 12; id++) await cases.same((db) => aggregates(db).where('id', '=', id))
})

test('24: max and sum beyond 2^53 are exact', async () => {
  await cases.same((db) =>
    db.selectFrom('T').select((eb) => [eb.fn.max('big').as('m'), eb.fn.sum('big').as('s'), eb.fn.max('n').as('n')]),
  )
})

test('26: HAVING over groups that span shards', async () => {
  await cases.same((db) =>
    db
      .selectFrom('T')
      .select('g')
      .groupBy('g')
      .having((eb) => eb(eb.fn.sum('v'), '>', 90)),
  )
})
