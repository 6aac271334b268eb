import type { LocalCluster } from '@shardwright/local-cluster'
import type { ShardRouter } from '@shardwright/shard-router'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { festivalIds, routerOf, type schema, startFestival } from './festival-fixture.ts'

let cluster: LocalCluster
let router: ShardRouter<typeof schema>

beforeAll(async () => {
  cluster = await startFestival(3)
  router = routerOf(cluster)
  await router.db
    .insertInto('wallets')
    .values(festivalIds.map((festival_id, id) => ({ festival_id, id, user_id: id, balance: '1' })))
    .execute()
})

afterAll(async () => {
  await router?.close()
  await cluster?.stop()
})

it('gives now() one value over all shards, in reads and in writes', async () => {
  const all = router.fanOut()
  const moments = await all.selectFrom('wallets').select(sql<string>`now()::text`.as('moment')).execute()
  expect(moments).toHaveLength(12)
  expect(new Set(moments.map((row) => row.moment)).size).toBe(1)
  const recent = all.selectFrom('wallets').select(({ fn }) => fn.countAll<string>().as('n'))
  expect(await recent.where('created_at', '>', sql<Date>`now() - interval '1 day'`).execute()).toEqual([{ n: '12' }])
  expect(await recent.where('created_at', '>=', sql<Date>`current_date + 1`).execute()).toEqual([{ n: '0' }])
  await all.updateTable('wallets').set({ created_at: sql<Date>`now()` }).execute()
  const written = await all.selectFrom('wallets').select('created_at').distinct().execute()
  expect(written).toHaveLength(1)
})

it('refuses what each shard would compute otherwise', async () => {
  const drawn = router.fanOut().selectFrom('wallets').select(sql<number>`clock_timestamp()`.as('t'))
  await expect(drawn.execute()).rejects.toMatchObject({ code: 'VOLATILE_IN_SPLIT' })
  const sampled = await router.fanOut().selectFrom('wallets').select('id').orderBy(sql`random()`).limit(3).execute()
  expect(sampled).toHaveLength(3)
})
