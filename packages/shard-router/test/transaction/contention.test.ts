import { defineSchema, defineTopology, locate, type ShardKey, sharded } from '@shardwright/core'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { sql } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createShardRouter, type ShardRouter } from '../../src/shard-router.ts'
import { failureOf } from '../pool/pool-fixture.ts'

interface Database {
  account: { id: ShardKey<number>; balance: number }
}

const schema = defineSchema<Database>()({ tables: { account: sharded('id') } })
const size = { minimum: 0, maximum: 3, overflow: 1 }

let cluster: LocalCluster
let router: ShardRouter<typeof schema>
/** Account numbers by shard. */
let on: number[][]

const routerOf = (pool: { maxConnections?: number } = {}) =>
  createShardRouter({
    schema,
    topology: defineTopology({ id: 'contention', hash: 'postgres', ...cluster.topologyInput() }),
    recovery: false,
    pool: { size, ...pool },
  })

beforeAll(async () => {
  cluster = await startLocalCluster({ shards: 3, databasePerShard: true })
  for (const shard of cluster.fleet().shards) {
    await using connection = await shard.connect()
    await connection.script(`create table account (id int primary key, balance int not null);
      create function tell() returns int language plpgsql as $$ begin notify told; return 1; end $$`)
  }
  router = routerOf()
  await router.ready()
  on = cluster.shards.map(() => [])
  for (let value = 1; value <= 200; value++) {
    on[locate(router.topology, { family: 'id', type: 'int4', value }).shard]!.push(value)
  }
})
afterAll(async () => {
  await router?.close()
  await cluster?.stop()
})
beforeEach(async () => {
  await router.fanOut().deleteFrom('account').execute()
  await router.db
    .insertInto('account')
    .values(on.flatMap((ids) => ids.slice(0, 40)).map((id) => ({ id, balance: 0 })))
    .execute()
})

const balancesOf = async (ids: readonly number[]) =>
  (await router.fanOut().selectFrom('account').select('balance').where('id', 'in', ids).execute()).map(
    ({ balance }) => balance,
  )
const times = <T>(count: number, work: (n: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, n) => work(n)))

const transfer = (own: ShardRouter<typeof schema>, n: number) =>
  own.transaction({ crossShard: 'atomic' }).execute(async (trx) => {
    // Every order of two shards, on rows that nobody else touches.
    const [from, to] = [n % 3, (n + 1 + (n % 2)) % 3]
    await trx.updateTable('account').set({ balance: -1 }).where('id', '=', on[from]![n]!).execute()
    await trx.updateTable('account').set({ balance: 1 }).where('id', '=', on[to]![n]!).execute()
  })

test('more transactions than there are sessions take turns, and never wait for sessions of each other', async () => {
  await times(40, (n) => transfer(router, n))
  await using capped = routerOf({ maxConnections: 12 })
  await times(40, (n) => transfer(capped, n))
  const sum = await router
    .fanOut()
    .selectFrom('account')
    .select(({ fn }) => fn.sum<string>('balance').as('n'))
    .execute()
  expect(Number(sum[0]?.n)).toBe(0)
})

test('who waits for its turn is told when it takes too long', async () => {
  await using own = createShardRouter({
    schema,
    topology: router.topology,
    recovery: false,
    pool: { size: { minimum: 0, maximum: 1, overflow: 0, acquireTimeoutMs: 1_000 } },
  })
  const holder = await own.startTransaction({ crossShard: 'atomic' }).execute()
  await holder.updateTable('account').set({ balance: 5 }).where('id', '=', on[0]![0]!).execute()
  const late = await failureOf(transfer(own, 1))
  expect(late).toMatchObject({ code: 'POOL_TIMEOUT', details: { sent: false } })
  expect(late.message).toContain('transactions across shards')
  await holder.rollback().execute()
  await transfer(own, 1)
})

test('statements that write all shards at once come through, also when each wants the rows of the others', async () => {
  const first = on.map((ids) => ids[0]!)
  await times(12, () =>
    router.fanOut().updateTable('account').set({ balance: sql`balance + 1` }).where('balance', '>=', 0).execute(),
  )
  expect(await balancesOf(first)).toEqual([12, 12, 12])
  await times(12, () =>
    router.db
      .insertInto('account')
      .values(first.map((id) => ({ id, balance: 1 })))
      .onConflict((on) => on.column('id').doUpdateSet({ balance: sql`account.balance + 1` }))
      .execute(),
  )
  expect(await balancesOf(first)).toEqual([24, 24, 24])
})

test('who stands in line leaves it when nothing moves, with a retryable error', async () => {
  await using own = createShardRouter({
    schema,
    topology: router.topology,
    recovery: false,
    pool: { size: { ...size, acquireTimeoutMs: 1_000 } },
  })
  const holder = new pg.Client(cluster.shards[0]!.url)
  await holder.connect()
  await holder.query('begin; update account set balance = 7')
  const line = "select pg_advisory_xact_lock(hashtextextended('shardwright line contention account', 0))"
  await holder.query(line)
  const late = await failureOf(own.fanOut().updateTable('account').set({ balance: 1 }).execute())
  expect(late).toMatchObject({ code: 'LOCK_TIMEOUT_ACROSS_SHARDS', retryable: true })
  await holder.end()
  expect(await balancesOf([on[1]![0]!, on[2]![0]!])).toEqual([0, 0])
})

test('a lock that somebody holds for long is waited for', async () => {
  const holder = new pg.Client(cluster.shards[1]!.url)
  await holder.connect()
  await holder.query('begin')
  await holder.query('update account set balance = 7')
  const waiting = router.fanOut().updateTable('account').set({ balance: sql`balance + 1` }).executeTakeFirst()
  await new Promise((resolve) => setTimeout(resolve, 400))
  await holder.query('commit')
  await holder.end()
  expect((await waiting).numUpdatedRows).toBe(120n)
  expect(await balancesOf(on.map((ids) => ids[0]!))).toEqual(expect.arrayContaining([1, 8, 1]))
})

test('a function that notifies on a shard that only reads is refused: it would be told before the decision', async () => {
  const [one, two, three] = on.map((ids) => ids[0]!)
  const work = (writers: readonly number[]) =>
    router.transaction({ crossShard: 'atomic' }).execute(async (trx) => {
      for (const id of writers) await trx.updateTable('account').set({ balance: 3 }).where('id', '=', id).execute()
      await trx.selectFrom('account').select(sql`tell()`.as('told')).where('id', '=', three!).execute()
    })
  for (const writers of [[one!], [one!, two!]]) {
    expect((await failureOf(work(writers))).code).toBe('NOTIFY_IN_ATOMIC_TRANSACTION')
    expect(await balancesOf([one!, two!])).toEqual([0, 0])
  }
  // Where nothing is written, or all on one shard, it is an ordinary COMMIT.
  await work([])
  await work([three!])
})
