import { cached, createCache, memoryTier } from '@shardwright/cache'
import { defineRepository, defineSchema, type ShardKey, sharded } from '@shardwright/core'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { createShardRouter } from '@shardwright/shard-router'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'

interface Database {
  wallets: { festival_id: ShardKey<string>; id: number; balance: string }
}

const schema = defineSchema<Database>()({ tables: { wallets: sharded('festival_id') } })
const repository = defineRepository<Database>()('wallets', { id: ['festival_id', 'id'], key: 'festival_id' })

let cluster: LocalCluster
let router: ReturnType<typeof open>
const open = () =>
  createShardRouter({
    schema,
    topology: { hash: 'postgres', ...cluster.topologyInput() },
    pool: { replicas: { reads: 'replica', probeIntervalMs: 50 } },
  })

beforeAll(async () => {
  cluster = await startLocalCluster({ shards: 1, replicasPerShard: 1 })
  for (const shard of cluster.fleet().shards) {
    await using connection = await shard.connect()
    await connection.script(
      'create table wallets (festival_id text, id int, balance numeric not null, primary key (festival_id, id))',
    )
  }
  router = open()
})

afterAll(async () => {
  await router?.close()
  await cluster?.stop()
})

async function onReplica(text: string): Promise<void> {
  const client = new pg.Client(cluster.shards[0]!.replicas[0]!.url)
  await client.connect()
  await client.query(text)
  await client.end()
}

test.each([
  ['read-through', 'alone'],
  ['write-through', 'alone'],
  ['cache-aside', 'alone'],
  ['read-through', 'in a transaction'],
  ['write-through', 'in a transaction'],
  ['cache-aside', 'in a transaction'],
] as const)('case 21: %s, written %s: memory is not filled from a replica that is behind', async (strategy, how) => {
  const wallets = cached(repository, {
    cache: createCache({ namespace: 'r', tiers: [memoryTier()] }),
    strategy,
    db: router.db,
  })
  const id = { festival_id: `${strategy} ${how}`, id: 1 }
  const behind = () =>
    router.db.selectFrom('wallets').select('balance').where('festival_id', '=', id.festival_id).execute()
  const balance = async () => (await wallets.with(router.db).findById(id))?.balance
  await router.db
    .insertInto('wallets')
    .values({ ...id, balance: '10' })
    .execute()
  await expect.poll(behind, { timeout: 10_000 }).toEqual([{ balance: '10' }])
  expect(await balance()).toBe('10')
  await onReplica('select pg_wal_replay_pause()')
  try {
    if (how === 'alone') await wallets.with(router.db).update(id, { balance: '20' })
    else
      await router
        .for({ festival_id: id.festival_id })
        .transaction()
        .execute((trx) => wallets.with(trx).update(id, { balance: '20' }))
    expect(await balance()).toBe('20')
    // The replica itself is behind all the while.
    expect(await behind()).toEqual([{ balance: '10' }])
    expect(await balance()).toBe('20')
  } finally {
    await onReplica('select pg_wal_replay_resume()')
  }
  expect(await balance()).toBe('20')
})
