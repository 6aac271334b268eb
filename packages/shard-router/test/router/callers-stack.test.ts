// The stack of an error names the line that asked, however far from it the error was born.
import { defineRepository } from '@shardwright/core'
import type { LocalCluster } from '@shardwright/local-cluster'
import { createShardRouter, runWithDeadline, type ShardRouter } from '@shardwright/shard-router'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { type Database, routerOf, schema, startFestival } from './festival-fixture.ts'

let cluster: LocalCluster
let router: ShardRouter<typeof schema>

beforeAll(async () => {
  cluster = await startFestival(2)
  router = routerOf(cluster)
  await router.db.insertInto('wallets').values({ festival_id: 'f1', id: 1, user_id: 1, balance: '1' }).execute()
})

afterAll(async () => {
  await router?.close()
  await cluster?.stop()
})

const wallet = { festival_id: 'f1', id: 1, user_id: 1, balance: '1' }
const wallets = defineRepository<Database>()('wallets', { id: ['festival_id', 'id'], key: 'festival_id' })

const nowhere = { hash: 'postgres', shards: [{ id: 'a', primary: 'postgres://app@127.0.0.1:1/app' }] } as const

const failing: Record<string, () => Promise<unknown>> = {
  'a refusal': async () => await router.db.selectFrom('wallets').selectAll().execute(),
  'an error of the server, by a repository': async () => await wallets.with(router.db).insert(wallet),
  'one in a transaction': async () =>
    await router
      .for({ festival_id: 'f1' })
      .transaction()
      .execute(async (trx) => await wallets.with(trx).insert(wallet)),
  'one of a fan-out': async () =>
    await router.fanOut().selectFrom('wallets').select(sql`wallets.id / 0`.as('x')).execute(),
  'one of a stream': async () => {
    const rows = router.fanOut().selectFrom('wallets').select(sql`wallets.id / 0`.as('x')).stream()
    for await (const _ of rows) expect.unreachable()
  },
  'a deadline': async () =>
    await runWithDeadline(
      1,
      async () => await router.onShard('shard-1').selectNoFrom(sql`pg_sleep(1)`.as('x')).execute(),
    ),
  'no server, at the first statement': async () => {
    await using own = createShardRouter({ schema, topology: nowhere, pool: { retry: { maxRetries: 0 } } })
    await wallets.with(own.db).findById({ festival_id: 'f1', id: 1 })
  },
  'a topology that cannot follow': async () => {
    await router.replaceTopology(router.topology)
  },
  'no server, at ready()': async () => {
    await using own = createShardRouter({ schema, topology: nowhere, pool: { retry: { maxRetries: 0 } } })
    await own.ready()
  },
}

it.each(Object.keys(failing))('%s', async (name) => {
  async function theCaller(): Promise<void> {
    await failing[name]?.()
  }
  const error = await theCaller().then(
    () => expect.unreachable(),
    (caught: Error) => caught,
  )
  expect(error.stack).toContain('callers-stack.test.ts')
  expect(error.stack).toContain('theCaller')
})

it('an error that several callers share gains one stack', async () => {
  await using own = createShardRouter({ schema, topology: nowhere, pool: { retry: { maxRetries: 0 } } })
  const reads = Array.from({ length: 50 }, () => wallets.with(own.db).findById({ festival_id: 'f1', id: 1 }))
  const stacks = (await Promise.allSettled(reads)).map((read) => (read as PromiseRejectedResult).reason.stack as string)
  expect(Math.max(...stacks.map((stack) => stack.split('\n').length))).toBeLessThan(60)
})

it('an abort that cancels its statement prints nothing', async () => {
  const printed = vi.spyOn(console, 'error').mockImplementation(() => {})
  try {
    const stop = new AbortController()
    const slow = router.onShard('shard-1').selectNoFrom(sql`pg_sleep(5)`.as('x'))
    const asked = slow.execute({ signal: stop.signal, inflightQueryAbortStrategy: 'cancel query' })
    setTimeout(() => stop.abort(new Error('gone')), 50)
    await expect(asked).rejects.toThrow('gone')
    const active = sql<{ n: number }>`select count(*)::int as n from pg_stat_activity where query like '%pg_sleep(5)%'
      and state = 'active' and pid <> pg_backend_pid()`
    await expect.poll(async () => (await active.execute(router.onShard('shard-1'))).rows[0]?.n).toBe(0)
    expect(printed.mock.calls).toEqual([])
  } finally {
    printed.mockRestore()
  }
})
