// What the router tells the monitor: latencies per shard, statements that scatter, hot keys.
import { defineSchema, reference, type ShardKey, sharded } from '@shardwright/core'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { callerTelemetry, createMonitor, hotKeys } from '@shardwright/monitor'
import { createShardRouter } from '@shardwright/shard-router'
import { afterAll, beforeAll, expect, it } from 'vitest'

interface Database {
  tasks: { user_id: ShardKey<number>; id: number; title: string }
  plans: { code: string }
}

const schema = defineSchema<Database>()({ tables: { tasks: sharded('user_id'), plans: reference() } })
const telemetry = callerTelemetry()
const keys = hotKeys()
const open = (own: LocalCluster) =>
  createShardRouter({
    schema,
    topology: { hash: 'postgres', ...own.topologyInput() },
    telemetry,
    keyObserver: keys,
  })
let cluster: LocalCluster
let router: ReturnType<typeof open>

beforeAll(async () => {
  cluster = await startLocalCluster({ shards: 2, databasePerShard: true })
  router = open(cluster)
  for (const shard of router.fleet.shards) {
    await using connection = await shard.connect()
    await connection.script(`
      create table tasks (user_id int not null, id int, title text not null, primary key (user_id, id));
      create table plans (code text primary key)`)
  }
})
afterAll(async () => {
  await router?.close()
  await cluster?.stop()
})

it('latencies by shard, scatters by statement, keys by family; an insert of many keys is no scatter', async () => {
  const rows = Array.from({ length: 20 }, (_, user) => ({ user_id: user, id: 1, title: 'x' }))
  await router.db.insertInto('tasks').values(rows).execute()
  for (let turn = 0; turn < 30; turn++) {
    await router.db.selectFrom('tasks').selectAll().where('user_id', '=', 7).execute()
    await router.for({ user_id: 3 }).selectFrom('tasks').selectAll().execute()
  }
  for (let turn = 0; turn < 3; turn++) await router.fanOut().selectFrom('tasks').selectAll().execute()
  await router.db.insertInto('plans').values({ code: 'free' }).execute()
  expect(telemetry.scatters()).toEqual([{ statement: 'SELECT tasks', calls: 3, shards: 2 }])
  const top = keys.top('user_id')
  // Once more for the row that was inserted.
  const hottest = top.slice(0, 2).map(({ key, uses }) => `${key}: ${uses}`)
  expect(hottest.toSorted()).toEqual(['3: 31', '7: 31'])
  const { samples } = await createMonitor({ fleet: router.fleet, sources: [telemetry, keys] }).collect()
  const shards = samples.filter(({ metric, value }) => metric === 'latency_p95_ms' && (value ?? 0) > 0)
  expect(shards.map(({ labels }) => labels.shard).toSorted()).toEqual(['shard-1', 'shard-2'])
  // Keys are data: they are in no sample.
  expect(JSON.stringify(samples)).not.toMatch(/"key"/)
})
