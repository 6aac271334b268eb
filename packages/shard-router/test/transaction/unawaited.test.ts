import { defineSchema, defineTopology, type ShardKey, sharded } from '@shardwright/core'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { createShardRouter } from '@shardwright/shard-router'
import type { Transaction } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'

interface Database {
  notes: { k: ShardKey<number>; id: number }
}

const schema = defineSchema<Database>()({ tables: { notes: sharded('k') } })

let cluster: LocalCluster
let router: ReturnType<typeof createShardRouter<typeof schema>>

beforeAll(async () => {
  cluster = await startLocalCluster({ shards: 2, databasePerShard: true })
  for (const shard of cluster.fleet().shards) {
    await using connection = await shard.connect()
    await connection.script('create table notes (k int, id int, primary key (k, id))')
  }
  router = createShardRouter({ schema, topology: defineTopology({ hash: 'postgres', ...cluster.topologyInput() }) })
  await router.ready()
})
afterAll(async () => {
  await router?.close()
  await cluster?.stop()
})

const ids = async () =>
  (await router.fanOut().selectFrom('notes').select('id').orderBy('id').execute()).map((r) => r.id)

const openTransactions = async () => {
  let open = 0
  for (const shard of cluster.fleet().shards) {
    await using connection = await shard.connect()
    const { rows } = await connection.query<{ n: number }>(
      "select count(*)::int as n from pg_stat_activity where datname = current_database() and state like 'idle in%'",
    )
    open += rows[0]!.n
  }
  return open
}

test.each(['refuse', 'atomic'] as const)(
  'a statement that nobody waits for is part of its transaction (crossShard: %s)',
  async (crossShard) => {
    await router.fanOut().deleteFrom('notes').execute()
    const given: Promise<unknown>[] = []
    const insert = (trx: Transaction<Database>, id: number) => {
      given.push(trx.insertInto('notes').values({ k: 1, id }).execute())
    }
    await router.transaction({ crossShard }).execute(async (trx) => insert(trx, 1))
    expect(await ids()).toEqual([1])
    const thrown = router.transaction({ crossShard }).execute(async (trx) => {
      insert(trx, 2)
      throw new Error('thrown by the caller')
    })
    await expect(thrown).rejects.toThrow('thrown by the caller')
    expect(await ids()).toEqual([1])
    await Promise.allSettled(given)
    expect(await openTransactions()).toBe(0)
  },
)
