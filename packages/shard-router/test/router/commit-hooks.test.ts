import { commitScopeOf } from '@shardwright/core'
import type { LocalCluster } from '@shardwright/local-cluster'
import type { ShardRouter } from '@shardwright/shard-router'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { routerOf, type schema, startFestival } from './festival-fixture.ts'

/** The note of a wallet whose COMMIT ends the session that has it. */
const lostAtCommit = 'lost at commit'

let cluster: LocalCluster
let router: ShardRouter<typeof schema>

beforeAll(async () => {
  cluster = await startFestival(2)
  router = routerOf(cluster)
  for (const shard of cluster.fleet().shards) {
    await using connection = await shard.connect()
    await connection.script(`
      alter table wallets add constraint notes unique (note) deferrable initially deferred;
      create function end_session() returns trigger language plpgsql as $$
        begin perform pg_terminate_backend(pg_backend_pid()); return null; end $$;
      create constraint trigger ends after insert on wallets deferrable initially deferred
        for each row when (new.note = '${lostAtCommit}') execute function end_session()`)
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

it.each(['refused', 'atomic'] as const)(
  'runs the hooks of a commit whose answer was lost: nobody knows that it failed (crossShard: %s)',
  async (crossShard) => {
    const ran: string[] = []
    const options = crossShard === 'atomic' ? { crossShard } : {}
    const work = router.transaction(options).execute(async (trx) => {
      const scope = await commitScopeOf(trx)
      scope?.afterCommit(() => void ran.push('look again'))
      scope?.afterRollback(() => void ran.push('rolled back'))
      await trx.insertInto('wallets').values(wallet(4, lostAtCommit)).execute()
    })
    await expect(work).rejects.toMatchObject({ code: '57P01' })
    expect(ran).toEqual(['look again'])
  },
)

it('takes a connection lost before COMMIT was sent for a rollback', async () => {
  const ran: string[] = []
  const work = router.db.transaction().execute(async (trx) => {
    const scope = await commitScopeOf(trx)
    scope?.afterCommit(() => void ran.push('committed'))
    scope?.afterRollback(() => void ran.push('rolled back'))
    await trx.insertInto('wallets').values(wallet(5, 'gone')).execute()
    const ended = trx
      .selectFrom('wallets')
      .select(sql`pg_terminate_backend(pg_backend_pid())`.as('ended'))
      .where('festival_id', '=', 'f1')
      .execute()
    await expect(ended).rejects.toMatchObject({ code: '57P01' })
  })
  await expect(work).rejects.toThrow()
  expect(ran).toEqual(['rolled back'])
})
