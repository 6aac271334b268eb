import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Cases } from './cases/fixture.ts'
import type { AnyKysely } from './world/database.ts'

// Case 9 and its relatives: parts of one statement that write. PostgreSQL runs them all on one snapshot.
let cases: Cases

beforeAll(async () => {
  cases = await Cases.start()
  await cases.fill()
})

afterAll(async () => {
  await cases?.[Symbol.asyncDispose]()
})

test('a CTE that writes a reference table: all copies, the rows of one, one snapshot', async () => {
  const updated = (db: AnyKysely) =>
    db.with('w', (q) => q.updateTable('R').set({ label: 'new' }).where('id', '<', 3).returning(['id', 'x']))
  const rows = await cases.same((db) => updated(db).selectFrom('w').select('id'), { keyed: true })
  expect(rows).toHaveLength(2)
  await cases.same((db) => updated(db).selectFrom('w').innerJoin('T', 'T.x', 'w.x').select(['w.id', 'T.id as tid']))
  const added = (db: AnyKysely) =>
    db.with('w', (q) =>
      q
        .insertInto('S')
        .values([{ label: 'a' }, { label: 'b' }])
        .returning(['id', 'label']),
    )
  await cases.same((db) => added(db).selectFrom('w').selectAll())
  // What the CTE writes is not seen by the rest of the statement.
  await cases.same((db) =>
    added(db)
      .selectFrom('S')
      .select((eb) => eb.fn.countAll().as('n')),
  )
  await cases.same((db) => added(db).selectFrom('w').select('id').unionAll(db.selectFrom('S').select('id')))
  await cases.sameTables('R', 'S')
})

test('CTEs that write sharded tables', async () => {
  const moved = (db: AnyKysely) => db.with('m', (q) => q.deleteFrom('T').where('g', '=', 2).returningAll())
  const at = '2024-02-02'
  // Each shard moves its own rows.
  const move = (db: AnyKysely) =>
    moved(db)
      .insertInto('U')
      .columns(['k', 'id', 'x', 'at'])
      .expression((eb) =>
        eb
          .selectFrom('m')
          .select((own) => ['k', own('id', '+', 1000).as('id'), 'x', own.cast(own.val(at), 'timestamptz').as('at')]),
      )
  const [first] = await cases.same(move)
  expect(first).toMatchObject({ numInsertedOrUpdatedRows: 13n })
  expect((await cases.router.explain(move(cases.all))).kind).toBe('broadcast')
  // To other shards than those they come from.
  await cases.same((db) =>
    db
      .with('m', (q) => q.deleteFrom('U').where('id', '>=', 1000).returning(['id', 'x', 'k']))
      .insertInto('T')
      .columns(['k', 'id', 'x', 'g'])
      .expression((eb) =>
        eb.selectFrom('m').select((own) => ['x as k', own('id', '-', 1000).as('id'), 'k as x', own.lit(2).as('g')]),
      )
      .returning(['k', 'id']),
  )
  await cases.same(
    (db) =>
      db
        .with('old', (q) => q.selectFrom('T').select(['g', 'id']).where('g', '=', 1))
        .with('d', (q) => q.updateTable('T').set({ b: 5 }).where('g', '=', 1).returning(['id', 'name']))
        .with('r', (q) =>
          q
            .insertInto('R')
            .columns(['id', 'label'])
            .expression((eb) => eb.selectFrom('d').select((own) => [own('id', '+', 100).as('id'), 'name'])),
        )
        .selectFrom('d')
        .innerJoin('old', 'old.id', 'd.id')
        .innerJoin('T', 'T.id', 'd.id')
        .select(['d.name', 'old.g', 'T.b'])
        .orderBy('d.name')
        .orderBy('d.id'),
    { ordered: true },
  )
  const twice = (db: AnyKysely) =>
    db
      .with('a', (q) => q.updateTable('T').set({ v: 5 }).where('id', '=', 23).returning('x'))
      .updateTable('T')
      .from('a')
      .set({ v: 6 })
      .whereRef('a.x', '=', 'T.g')
  expect(await cases.refusal(twice)).toBe('CROSS_SHARD_WRITE')
  expect(await cases.refusal(move, cases.keyed)).toBe('SHARD_KEY_REQUIRED')
  await cases.sameTables('T', 'U', 'R')
  for (const db of [cases.one, cases.all]) await db.deleteFrom('R').where('id', '>=', 100).execute()
})

test('a write to a reference table that reads sharded ones', async () => {
  await cases.same((db) =>
    db
      .updateTable('R')
      .from('T')
      .set({ label: 'seen' })
      .whereRef('T.x', '=', 'R.x')
      .where('T.v', '>', 15)
      .returning('R.id'),
  )
  await cases.same((db) =>
    db
      .insertInto('S')
      .columns(['label'])
      .expression((eb) => eb.selectFrom('T').select('name').where('id', '<', 9).orderBy('id')),
  )
  await cases.same((db) =>
    db
      .mergeInto('R')
      .using('T', (join) => join.onRef('T.id', '=', 'R.id'))
      .whenMatched()
      .thenUpdateSet({ label: 'merged' }),
  )
  await cases.sameTables('R', 'S')
})

test('in an atomic transaction, with a commit of its own', async () => {
  const work = (db: AnyKysely) =>
    db
      .with('w', (q) => q.insertInto('S').values({ label: 'in a transaction' }).returning(['id', 'label']))
      .selectFrom('w')
      .select('label')
      .execute()
  const rows = await cases.router
    .transaction({ crossShard: 'atomic' })
    .execute((trx) => work(trx as unknown as AnyKysely))
  expect(rows).toEqual(await work(cases.one))
  await cases.sameTables('S')
})

test('a write whose triggers may reach what is read later is refused', async () => {
  const trigger = `create function same() returns trigger language plpgsql as 'begin return new; end';
    create trigger same before update on "R" for each row execute function same();`
  for (const shard of cases.cluster.fleet().shards) {
    await using connection = await shard.connect()
    await connection.script(trigger)
  }
  await sql.raw(trigger).execute(cases.one)
  await cases.router.refresh()
  const updated = (db: AnyKysely) =>
    db.with('w', (q) => q.updateTable('R').set({ label: 'again' }).where('id', '=', 1).returning(['id', 'x']))
  const joined = (db: AnyKysely) => updated(db).selectFrom('w').innerJoin('T', 'T.x', 'w.x').select('T.id')
  expect(await cases.refusal(joined)).toBe('CROSS_SHARD_WRITE')
  await cases.same((db) => updated(db).selectFrom('w').select('id'))
  await cases.sameTables('R')
})
