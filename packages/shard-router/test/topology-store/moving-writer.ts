// A process of its own for moves-under-load.test.ts: a router with a lease that counts up as fast as it can, until told to stop.
import { defineSchema, defineTopology, fleetOf, type ShardKey, sharded } from '@shardwright/core'
import { createShardRouter, TopologyStore } from '@shardwright/shard-router'
import { Client } from 'pg'

const [topologyText, seedText, keyCount] = process.argv.slice(2) as [string, string, string]
const given = defineTopology(JSON.parse(topologyText))
const store = new TopologyStore(fleetOf(given, Client as never))
const lease = await store.hold(await store.read(given.shards), { leaseMs: 900 })
const schema = defineSchema<{ counters: { user_id: ShardKey<number>; n: number } }>()({
  tables: { counters: sharded('user_id') },
})
const router = createShardRouter({
  schema,
  topology: lease.topology,
  lease,
  atomic: {},
  recovery: false,
  pool: { size: { minimum: 0 } },
})

let state = Number(seedText)
const random = (limit: number) => {
  state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
  return Math.floor((state / 2_147_483_648) * limit)
}
const acknowledged = new Array<number>(Number(keyCount)).fill(0)
/** What may or may not have been done: an answer that did not come. */
const unknown = new Array<number>(Number(keyCount)).fill(0)
const refusals: Record<string, number> = {}
let epochs = 0

const update = (db: typeof router.db, keys: readonly number[]) =>
  db
    .updateTable('counters')
    .set((eb) => ({ n: eb('n', '+', 1) }))
    .where('user_id', 'in', keys)
    .returning('user_id')
    .execute()

const works: ((keys: readonly number[]) => Promise<readonly { user_id: number }[]>)[] = [
  ([key]) => update(router.db, [key as number]),
  ([key]) =>
    router
      .for({ user_id: key as number })
      .transaction()
      .execute(async (trx) => {
        await trx.selectFrom('counters').select('n').forUpdate().execute()
        return await trx
          .updateTable('counters')
          .set((eb) => ({ n: eb('n', '+', 1) }))
          .returning('user_id')
          .execute()
      }),
  // Over two shards at times: all or nothing.
  (keys) => update(router.db, keys),
  (keys) => router.transaction({ crossShard: 'atomic' }).execute((trx) => update(trx, keys)),
]

let stopped = false
async function worker(): Promise<void> {
  while (!stopped) {
    const keys = [random(Number(keyCount)), random(Number(keyCount))]
    const work = works[random(works.length)] as (typeof works)[number]
    try {
      for (const { user_id } of await work(keys)) acknowledged[user_id]! += 1
    } catch (error) {
      const { code = 'none' } = error as { code?: string }
      refusals[code] = (refusals[code] ?? 0) + 1
      const { sent } = (error as { details?: { sent?: boolean } }).details ?? {}
      if (code !== 'TOPOLOGY_STALE' || sent === true) for (const key of new Set(keys)) unknown[key]! += 1
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    epochs = Math.max(epochs, router.topology.epoch)
  }
}
const workers = [worker(), worker(), worker()]
process.on('message', async () => {
  stopped = true
  await Promise.all(workers)
  await router.close()
  await lease.release()
  process.send!({ acknowledged, unknown, refusals, epochs })
  process.disconnect!()
})
process.send!({ ready: true })
