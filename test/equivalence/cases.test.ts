import { defineTopology } from '@shardwright/core'
import { type ExpressionBuilder, sql } from 'kysely'
import { jsonArrayFrom, jsonBuildObject, jsonObjectFrom } from 'kysely/helpers/postgres'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Cases } from './cases/fixture.ts'
import type { AnyKysely } from './world/database.ts'

// The shapes of cases/routing.md that broke other systems, by their numbers; `one` is one PostgreSQL with all rows.
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

test('26: HAVING over groups that span shards', async () => {
  await cases.same((db) =>
    db
      .selectFrom('T')
      .select('g')
      .groupBy('g')
      .having((eb) => eb(eb.fn.sum('v'), '>', 90)),
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

test('29: different fan-outs at the same time and in one transaction leave nothing behind', async () => {
  await Promise.all(
    Array.from({ length: 12 }, (_, i) =>
      cases.same((db) =>
        db
          .selectFrom('T')
          .select((eb) => [eb.fn.countAll().as('n'), eb.fn.max('id').as('m')])
          .where('x', '<>', i % 6)
          .groupBy(i % 2 ? 'g' : 'b'),
      ),
    ),
  )
  await cases.router.transaction({ crossShard: 'atomic', fanOut: true }).execute(async (trx) => {
    const db = trx as unknown as AnyKysely
    expect(
      await db
        .selectFrom('T')
        .select((eb) => eb.fn.countAll().as('n'))
        .execute(),
    ).toEqual([{ n: '60' }])
    expect(
      await db
        .selectFrom('U')
        .select((eb) => eb.fn.countAll().as('n'))
        .execute(),
    ).toEqual([{ n: '30' }])
  })
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

test('30: a hole in the bucket map is refused; a shard that is down is an error, or named in a partial result', async () => {
  const shards = cases.cluster.topologyInput().shards
  expect(() =>
    defineTopology({ hash: 'postgres', shards, bucketMap: [{ from: 0, to: 1000, shard: shards[0]?.id ?? '' }] }),
  ).toThrow(/bucket/i)
  const query = cases.router
    .fanOut()
    .selectFrom('T' as never)
    .selectAll()
  await cases.setDown([2])
  await expect(query.execute()).rejects.toThrow()
  const partial = await cases.router.collect(query, { partial: true })
  expect(partial.missing.map(({ shard }) => shard)).toEqual([shards[2]?.id])
  expect(partial.rows.length).toBeGreaterThan(0)
  await cases.setDown([0, 1, 2])
  await expect(cases.router.collect(query, { partial: true })).rejects.toMatchObject({ code: 'SHARDS_MISSING' })
})
