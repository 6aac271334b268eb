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

const perGroup = (db: AnyKysely) =>
  db
    .selectFrom('T')
    .select((eb) => ['g', eb.fn.avg('v').as('average')])
    .groupBy('g')
    .orderBy('average')
const perRow = (db: AnyKysely) =>
  db
    .selectFrom('R')
    .leftJoin('T', 'T.x', 'R.x')
    .select(['R.id', 'T.v'])
    .where('R.x', 'in', db.selectFrom('U').select('x').limit(3))

test('shards, buckets and expected rows', async () => {
  const keyed = await cases.router.explain(cases.keyed.selectFrom('T').selectAll().where('k', '=', 3))
  expect(keyed).toMatchObject({ kind: 'one', keys: [{ table: 'T', buckets: [expect.any(Number)] }], before: [] })
  expect(keyed.statements).toEqual([
    { shard: keyed.shards[0], sql: 'select * from "T" where "k" = $1', estimatedRows: expect.any(Number) },
  ])
  const spread = await cases.router.explain(perGroup(cases.all))
  expect(spread).toMatchObject({ kind: 'fan-out', keys: [{ buckets: 'all' }] })
  expect(spread.statements).toHaveLength(3)
  expect(spread.measured).toBeUndefined()
  const bare = await cases.router.explain(perGroup(cases.all), { costs: false })
  expect(bare.statements.every((statement) => statement.estimatedRows === undefined)).toBe(true)
})

test('measured rows and times of each shard, of the parts before, and of the whole', async () => {
  const explained = await cases.router.explain(perRow(cases.all), { analyze: true })
  const { length } = await perRow(cases.all).execute()
  expect(explained.measured).toEqual({ rows: length, timeMs: expect.any(Number) })
  const parts = explained.before.map(({ part }) => part)
  expect(parts).toEqual(['read T', 'read a subquery'])
  const rows = explained.before[0]?.statements.map((statement) => statement.measured?.rows ?? 0) ?? []
  expect(rows.reduce((sum, own) => sum + own, 0)).toBe(60)
  expect(`${explained}`).toMatch(/<rows of T>/)
  expect(`${explained}`).not.toMatch(/shardwright:/)
})

test('a write is explained and not run', async () => {
  const insert = cases.all.insertInto('T').values([1, 2, 3].map((k) => ({ k, id: 900 + k })))
  const explained = await cases.router.explain(insert)
  expect(explained.kind).toBe('split')
  expect(explained.statements.every(({ sql, estimatedRows }) => sql.startsWith('insert') && estimatedRows === 1)).toBe(
    true,
  )
  await expect(cases.router.explain(insert, { analyze: true })).rejects.toMatchObject({ code: 'UNSUPPORTED_STATEMENT' })
  await insert.explain()
  expect(await cases.all.selectFrom('T').select('id').where('id', '>=', 900).execute()).toEqual([])
  const steps = await cases.router.explain(
    cases.all
      .with('m', (db) => db.deleteFrom('T').returningAll())
      .with('w', (db) => db.updateTable('R').set({ x: 1 }).returning('id'))
      .selectFrom('m')
      .innerJoin('w', 'w.id', 'm.x')
      .selectAll(),
  )
  expect(steps.before.map(({ part }) => part)).toEqual(["write 'm'", "write 'w'"])
})

test('query.explain() shows the plans of all shards and parts', async () => {
  const text = JSON.stringify(await perRow(cases.all).explain())
  for (const { id } of cases.topology.shards) expect(text).toContain(`Shard ${id}`)
  expect(text).toContain('First read a subquery')
  expect(text).not.toContain('shardwright:')
  const json = await perGroup(cases.all).explain('json')
  expect(json).toHaveLength(3)
  const updated = JSON.stringify(await cases.all.updateTable('T').set({ v: 1 }).returning('id').explain())
  expect(updated).toContain('Shard shard-3')
})
