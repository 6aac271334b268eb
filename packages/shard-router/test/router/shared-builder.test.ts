import type { LocalCluster } from '@shardwright/local-cluster'
import type { ShardRouter } from '@shardwright/shard-router'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { festivalIds, routerOf, type schema, startFestival } from './festival-fixture.ts'

// Levels that were made from one builder have the same nodes in FROM, and conditions of their own.
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
