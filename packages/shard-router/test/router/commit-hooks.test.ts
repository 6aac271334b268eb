import { commitScopeOf } from '@shardwright/core'
import type { LocalCluster } from '@shardwright/local-cluster'
import type { ShardRouter } from '@shardwright/shard-router'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { routerOf, type schema, startFestival } from './festival-fixture.ts'

let cluster: LocalCluster
let router: ShardRouter<typeof schema>

beforeAll(async () => {
  cluster = await startFestival(2)
  router = routerOf(cluster)
  for (const shard of cluster.fleet().shards) {
    await using connection = await shard.connect()
    await connection.script('alter table wallets add constraint notes unique (note) deferrable initially deferred')
  }
})

afterAll(async () => {
  await router?.close()
  await cluster?.stop()
})

const wallet = (id: number, note: string) => ({ festival_id: 'f1', id, user_id: 1, balance: '1', note })

it('runs hooks after the commit, and drops those of a savepoint that was rolled back', async () => {
  const ran: string[] = []
  expect(await commitScopeOf(router.db)).toBeUndefined()
  const trx = await router.db.startTransaction().execute()
  const scope = await commitScopeOf(trx)
  await trx.insertInto('wallets').values(wallet(1, 'a')).execute()
  scope?.afterCommit(() => void ran.push('kept'))
  const inner = await trx.savepoint('s').execute()
  scope?.afterCommit(() => void ran.push('dropped'))
  scope?.afterRollback(() => void ran.push('rolled back'))
  await inner.rollbackToSavepoint('s').execute()
  expect(ran).toEqual(['rolled back'])
  await trx.commit().execute()
  expect(ran).toEqual(['rolled back', 'kept'])
})

it('takes a COMMIT that the server refuses for a rollback', async () => {
  const ran: string[] = []
  const work = router.db.transaction().execute(async (trx) => {
    const scope = await commitScopeOf(trx)
    scope?.afterCommit(() => void ran.push('committed'))
    scope?.afterRollback(() => void ran.push('rolled back'))
    await trx
      .insertInto('wallets')
      .values([wallet(2, 'same'), wallet(3, 'same')])
      .execute()
  })
  await expect(work).rejects.toMatchObject({ code: '23505' })
  expect(ran).toEqual(['rolled back'])
})

it('runs the hooks of a commit whose answer was lost: nobody knows that it failed', async () => {
  const ran: string[] = []
  const work = router.db.transaction().execute(async (trx) => {
    const scope = await commitScopeOf(trx)
    scope?.afterCommit(() => void ran.push('look again'))
    await trx.insertInto('wallets').values(wallet(4, 'lost')).execute()
    const { shards } = await router.explain(router.db.selectFrom('wallets').selectAll().where('festival_id', '=', 'f1'))
    await sql`select pg_terminate_backend(pid) from pg_stat_activity where state = 'idle in transaction'`.execute(
      router.onShard(shards[0] ?? ''),
    )
  })
  await expect(work).rejects.toThrow()
  expect(ran).toEqual(['look again'])
})
