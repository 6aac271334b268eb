import type { LocalCluster } from '@shardwright/local-cluster'
import type { ShardRouter } from '@shardwright/shard-router'
import { type Kysely, sql } from 'kysely'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Database, festivalIds, routerOf, type schema, startFestival } from './festival-fixture.ts'

// What was made from one builder has the same nodes in several places, and a meaning of its own in each.
let cluster: LocalCluster
let router: ShardRouter<typeof schema>

beforeAll(async () => {
  cluster = await startFestival(2)
  router = routerOf(cluster)
  const rows = Array.from({ length: 24 }, (_, i) => ({
    festival_id: festivalIds[i % 12] as string,
    id: i,
    user_id: (i % 3) + 1,
    balance: String(i % 5),
  }))
  await router.db.insertInto('wallets').values(rows).execute()
  await router
    .fanOut()
    .insertInto('festivals')
    .values([1, 2, 3, 4].map((id) => ({ id, name: `n${id}` })))
    .execute()
})

afterAll(async () => {
  await router?.close()
  await cluster?.stop()
})

it('keeps the conditions of subqueries apart that were made from one builder', async () => {
  const found = await router
    .fanOut()
    .selectFrom('festivals as f')
    .select('f.id')
    .where((eb) => {
      const wallets = eb.selectFrom('wallets as w').select('w.id').whereRef('w.user_id', '=', 'f.id')
      return eb.and([
        eb.exists(wallets.where('w.balance', '>', '3')),
        eb.exists(wallets.where('w.balance', '<', '1')),
        eb.not(eb.exists(wallets.where('w.id', '=', 4))),
      ])
    })
    .orderBy('f.id')
    .execute()
  expect(found).toEqual([{ id: 1 }, { id: 3 }])
})

it('keeps them apart beside a CTE that writes the table', async () => {
  const found = await router
    .fanOut()
    .with('raised', (db) => db.updateTable('wallets').set({ balance: '9' }).where('balance', '=', '4').returning('id'))
    .selectFrom('festivals as f')
    .select('f.id')
    .where((eb) => {
      const wallets = eb.selectFrom('wallets as w').select('w.id').whereRef('w.user_id', '=', 'f.id')
      return eb.and([
        eb.exists(wallets.where('w.balance', '=', '4')),
        eb.not(eb.exists(wallets.where('w.balance', '=', '9'))),
        eb.exists(wallets.where('w.balance', '=', '0')),
      ])
    })
    .orderBy('f.id')
    .execute()
  expect(found).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }])
  const raised = router.fanOut().selectFrom('wallets').select('id').where('balance', '=', '9')
  expect(await raised.execute()).toHaveLength(4)
})

/** With `shared`, both places have the node of the first value; the text is the same. */
function eitherOf(db: Pick<Kysely<Database>, 'selectFrom'>, [a, b]: readonly [string, string], shared: boolean) {
  return db
    .selectFrom('wallets')
    .select('id')
    .where((eb) => {
      const first = eb.val(a)
      const second = shared ? first : eb.val(b)
      return eb.or([eb('festival_id', '=', first), eb('festival_id', '=', second)])
    })
    .orderBy('id')
}

it('takes each parameter of a later call from its own place', async () => {
  await eitherOf(router.db, ['f1', 'f1'], true).execute()
  for (const [n, festival] of festivalIds.entries()) {
    const found = await eitherOf(router.db, ['f1', festival], false).execute()
    const ids = [...new Set([1, n, 13, n + 12])].sort((a, b) => a - b)
    expect(found.map(({ id }) => id)).toEqual(ids)
  }
})

it('takes it from its own place in what is merged, and in raw text', async () => {
  const count = (values: readonly [number, number], shared: boolean) => {
    const first = sql<number>`${values[0]}::int`
    const second = shared ? first : sql<number>`${values[1]}::int`
    return router
      .fanOut()
      .selectFrom('wallets')
      .select(({ fn }) => fn.countAll<string>().as('n'))
      .where((eb) => eb.or([eb('user_id', '=', first), eb('id', '<', second)]))
      .executeTakeFirstOrThrow()
  }
  expect(await count([1, 1], true)).toEqual({ n: '8' })
  expect(await count([1, 24], false)).toEqual({ n: '24' })
  expect(await count([9, 2], false)).toEqual({ n: '2' })
})

it('takes it from its own place under router.for', async () => {
  const own = router.for({ festival_id: 'f1' })
  const count = (values: readonly [number, number], shared: boolean) =>
    own
      .selectFrom('wallets')
      .select('id')
      .where((eb) => {
        const first = eb.val(values[0])
        return eb.or([eb('id', '=', first), eb('user_id', '=', shared ? first : eb.val(values[1]))])
      })
      .execute()
  expect(await count([1, 1], true)).toHaveLength(1)
  expect(await count([0, 2], false)).toHaveLength(2)
})

it('leaves two parameters that were made from one to PostgreSQL', async () => {
  const rest = sql<number>`id % ${3}`
  const grouped = router.fanOut().selectFrom('wallets').select(rest.as('rest')).groupBy(rest)
  // $1 and $2 may differ: the column must appear in GROUP BY.
  await expect(grouped.execute()).rejects.toMatchObject({ code: '42803' })
})

it('gives one subquery its own level in each place', async () => {
  const found = await router
    .fanOut()
    .selectFrom('festivals as f')
    .select('f.id')
    .where((eb) => {
      const rich = eb
        .selectFrom('wallets as w')
        .select('w.id')
        .whereRef('w.user_id', '=', 'f.id')
        .where('w.balance', '>', '3')
      return eb.and([
        eb.exists(rich),
        eb.exists(
          eb
            .selectFrom('festivals as f')
            .select('f.id')
            .where(eb.not(eb.exists(rich))),
        ),
      ])
    })
    .orderBy('f.id')
    .execute()
  expect(found).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }])
})
