import type { LocalCluster } from '@shardwright/local-cluster'
import type { ShardRouter } from '@shardwright/shard-router'
import { type Kysely, sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Database, festivalIds, routerOf, type schema, startFestival } from './festival-fixture.ts'

let cluster: LocalCluster
let router: ShardRouter<typeof schema>

beforeAll(async () => {
  cluster = await startFestival(3)
  router = routerOf(cluster)
  for (const id of ['shard-2', 'shard-3']) await sql`drop table audit`.execute(router.onShard(id))
  await router.db
    .insertInto('wallets')
    .values(festivalIds.map((festival_id, id) => ({ festival_id, id, user_id: id, balance: '1.00', note: null })))
    .execute()
})

afterAll(async () => {
  await router?.close()
  await cluster?.stop()
})

/** Queries around CTEs over `audit`, which is on the first shard only, and which nothing reads. */
const withUnread = (db: Kysely<Database>) =>
  db
    .with('log', (q) => q.selectFrom('audit').selectAll())
    .with('lines', (q) => q.selectFrom('log').select('line'))
    .with('names', (q) => q.selectFrom('festivals').select('name'))

test('beside a keyed read, whatever its shard', async () => {
  for (const [id, festival] of festivalIds.entries()) {
    const query = withUnread(router.db).selectFrom('wallets').select('id').where('festival_id', '=', festival)
    expect(await query.execute()).toEqual([{ id }])
  }
})

test('beside a fan-out, a write, reference tables and no table at all', async () => {
  const all = withUnread(router.fanOut())
  expect(
    await all
      .selectFrom('wallets')
      .select((eb) => eb.fn.countAll().as('n'))
      .execute(),
  ).toEqual([{ n: '12' }])
  const update = withUnread(router.db).updateTable('wallets').set({ note: 'x' }).where('festival_id', '=', 'f1')
  expect(await update.executeTakeFirst()).toMatchObject({ numUpdatedRows: 1n })
  expect(await withUnread(router.db).selectFrom('festivals').select('name').execute()).toEqual([])
  expect(await withUnread(router.db).selectNoFrom(sql<number>`1`.as('one')).execute()).toEqual([{ one: 1 }])
})

test('in a subquery, and under the name of the table itself', async () => {
  for (const festival of festivalIds) {
    const inner = router.db
      .selectFrom('wallets')
      .select('note')
      .where('festival_id', '=', festival)
      .where(
        'id',
        'in',
        withUnread(router.db).selectFrom('wallets as w').select('w.id').where('w.festival_id', '=', festival),
      )
    expect(await inner.execute()).toHaveLength(1)
    const shadow = router.db
      .with('audit', (q) => q.selectFrom('audit').selectAll())
      .selectFrom('wallets')
      .select('note')
      .where('festival_id', '=', festival)
    expect(await shadow.execute()).toHaveLength(1)
  }
})

test('a CTE that is named like the table is no use of it, and where the table is its mistakes are found', async () => {
  const shadowed = router.db
    .with('audit', (q) => q.selectFrom('wallets').select('id').where('festival_id', '=', 'f2'))
    .with('lines', (q) => q.selectFrom('audit').select(sql`no_such_column`.as('x')))
    .selectFrom('wallets')
    .select('id')
    .where('festival_id', '=', 'f2')
  await expect(shadowed.execute()).rejects.toMatchObject({ code: '42703' })
  const home = router.db
    .with('lines', (q) => q.selectFrom('audit').select(sql`no_such_column`.as('x')))
    .selectFrom('audit')
    .select('id')
  await expect(home.execute()).rejects.toMatchObject({ code: '42703' })
})
