import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import {
  backfillLookups,
  createShardRouter,
  installLookups,
  repairLookups,
  verifyLookups,
} from '@shardwright/shard-router'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ddl, plainSchema, routerOf, schema } from './lookup-fixture.ts'

let cluster: LocalCluster
let router: ReturnType<typeof routerOf>
const users = 300

beforeAll(async () => {
  cluster = await startLocalCluster({ shards: 3, databasePerShard: true })
  for (const shard of cluster.fleet().shards) {
    await using connection = await shard.connect()
    await connection.script(ddl(''))
  }
  const before = createShardRouter({
    schema: plainSchema,
    topology: { hash: 'postgres', ...cluster.topologyInput() },
  })
  await before.db
    .insertInto('users')
    .values(Array.from({ length: users }, (_, n) => user(n + 1, `u${n + 1}@x`)))
    .execute()
  await before.close()
  await installLookups({ fleet: cluster.fleet(), schema })
  router = routerOf(cluster)
  await router.ready()
})
afterAll(async () => {
  await router?.close()
  await cluster?.stop()
})

const user = (user_id: number, email: string) => ({ user_id, id: 1, email, city: `c${user_id % 7}`, name: null })
const work = () => ({ fleet: router.fleet, schema, topology: router.topology, batchSize: 40 })
const raw = async (text: string) => {
  for (const shard of cluster.fleet().shards) {
    await using connection = await shard.connect()
    await connection.script(`set shardwright.lookup_changes = 'off'; ${text}`)
  }
}
const byEmail = (email: string) => router.db.selectFrom('users').select('user_id').where('email', '=', email).execute()

test('a lookup that is not filled is kept and not asked', async () => {
  await router.db.insertInto('users').values(user(1000, 'early@x')).execute()
  await expect(byEmail('early@x')).rejects.toMatchObject({ code: 'SHARD_KEY_REQUIRED', hint: /lookups backfill/ })
  expect(await router.fanOut().selectFrom('users').select('user_id').where('email', '=', 'early@x').execute()).toEqual([
    { user_id: 1000 },
  ])
})

test('a backfill that was stopped goes on, while others write; then the lookup is asked', async () => {
  const stop = new AbortController()
  const first = backfillLookups({
    ...work(),
    signal: stop.signal,
    onProgress: ({ rows }) => {
      if (rows >= 80) stop.abort()
    },
  })
  await expect(first).rejects.toThrow()
  let writing = true
  let wrote = 0
  const writer = (async () => {
    for (let n = 1; writing; n++) {
      const id = 2000 + n
      await router.db
        .insertInto('users')
        .values(user(id, `w${n}@x`))
        .execute()
      await router.db
        .updateTable('users')
        .set({ email: `moved${n}@x` })
        .where('user_id', '=', (n % users) + 1)
        .execute()
      if (n % 3 === 0) await router.db.deleteFrom('users').where('user_id', '=', id).execute()
      wrote = n
    }
  })()
  const filled = await backfillLookups(work())
  writing = false
  await writer
  expect(wrote).toBeGreaterThan(0)
  expect(filled.map(({ lookup, ready, duplicates }) => [lookup, ready, duplicates])).toEqual([
    ['users_by_email', true, []],
    ['users_by_city', true, []],
    ['orders_by_code', true, []],
  ])
  expect((await verifyLookups(work())).map(({ missing, stale }) => [missing, stale])).toEqual([
    [0, 0],
    [0, 0],
    [0, 0],
  ])
  await router.refresh()
  expect(await byEmail('early@x')).toEqual([{ user_id: 1000 }])
  expect(await byEmail('u300@x')).toHaveLength(wrote >= 299 ? 0 : 1)
})

test('verify finds what bypassed the router, repair mends it', async () => {
  await raw(`update users set email = 'raw-' || email where user_id between 10 and 12;
    delete from users where user_id = 13; update users set city = 'Rome' where user_id = 14`)
  const before = await verifyLookups(work())
  expect(before.slice(0, 2).map(({ missing, stale }) => [missing, stale])).toEqual([
    [3, 4],
    [1, 2],
  ])
  expect(await verifyLookups(work())).toEqual(before)
  await repairLookups(work())
  expect((await verifyLookups(work())).every(({ missing, stale }) => missing + stale === 0)).toBe(true)
  const [{ user_id } = { user_id: 0 }] = await router.db
    .selectFrom('users')
    .select('user_id')
    .where('city', '=', 'Rome')
    .execute()
  expect(user_id).toBe(14)
})

test('duplicates from before are named, and the lookup stays as it is', async () => {
  await raw(`update shardwright.lookup set state = 'new' where name = 'users_by_email'; delete from users_by_email;
    update users set email = 'twin@x' where user_id in (20, 21, 22)`)
  const [filled] = await backfillLookups({ ...work(), lookups: ['users_by_email'] })
  expect(filled?.ready).toBe(false)
  expect(filled?.duplicates).toHaveLength(2)
  expect(filled?.duplicates[0]).toMatchObject({ lookup: 'users_by_email', value: 'twin@x' })
  await router.refresh()
  await router.db.updateTable('users').set({ email: 'one@x' }).where('user_id', '=', 20).execute()
  await router.db.updateTable('users').set({ email: 'two@x' }).where('user_id', '=', 21).execute()
  expect((await backfillLookups({ ...work(), lookups: ['users_by_email'] }))[0]?.ready).toBe(true)
  await router.refresh()
  expect(await byEmail('twin@x')).toEqual([{ user_id: 22 }])
})
