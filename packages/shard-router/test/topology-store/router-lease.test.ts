// A router with a lease of the topology store, through its public entry points.
import { defineSchema, defineTopology, type ShardKey, sharded, type Topology, topologyInputOf } from '@shardwright/core'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { createShardRouter, type ShardRouter, type TopologyLease, TopologyStore } from '@shardwright/shard-router'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'

interface Database {
  counters: { user_id: ShardKey<number>; n: number }
}
const schema = defineSchema<Database>()({ tables: { counters: sharded('user_id') } })
const key = 7

describe('a router with a lease', () => {
  let cluster: LocalCluster
  let store: TopologyStore
  let first: Topology
  let lease: TopologyLease
  let router: ShardRouter<typeof schema>
  let home: string
  let other: string
  const open: AsyncDisposable[] = []

  const topologyOf = (shards: number, epoch: number, more: object = {}) => {
    const input = cluster.topologyInput()
    return defineTopology({ id: 'leased', hash: 'postgres', epoch, shards: input.shards.slice(0, shards), ...more })
  }
  const movedTo = (shard: string, epoch: number) =>
    topologyOf(2, epoch, { pins: [{ family: 'user_id', key: String(key), shard }] })
  const add = (db = router.db) =>
    db
      .updateTable('counters')
      .set((eb) => ({ n: eb('n', '+', 1) }))
      .where('user_id', '=', key)
      .executeTakeFirstOrThrow()
  const shardOf = () =>
    router.shardsOf(router.db.selectFrom('counters').selectAll().where('user_id', '=', key).compile())[0]
  const onShard = async (id: string, statement: string) => {
    const shard = cluster.fleet('leased').shards.find((one) => one.id === id)!
    await using connection = await shard.connect()
    return (await connection.query(statement)).rows
  }
  const startRouter = async (options: { leaseMs?: number; heartbeatMs?: number } = {}, known = first.shards) => {
    lease = await store.hold(await store.read(known), { knownShards: known, ...options })
    router = createShardRouter({ schema, topology: lease.topology, lease })
    open.push(lease, router)
    await router.ready()
    home = shardOf()!
    other = home === 'shard-1' ? 'shard-2' : 'shard-1'
  }

  beforeAll(async () => {
    cluster = await startLocalCluster({ shards: 3, databasePerShard: true })
  })
  afterAll(() => cluster.stop())
  beforeEach(async () => {
    for (const { id } of cluster.fleet('leased').shards) {
      await onShard(id, 'drop schema if exists shardwright cascade')
      await onShard(id, 'drop table if exists counters')
      await onShard(id, 'create table counters (user_id int primary key, n int not null)')
    }
    first = topologyOf(2, 1)
    const { shards } = cluster.fleet('leased')
    store = new TopologyStore({ topologyId: 'leased', shards: shards.slice(0, 2) })
    await store.install()
    await store.publish(first)
    return async () => {
      for (const one of open.splice(0).toReversed()) await one[Symbol.asyncDispose]()
    }
  })

  it('follows what is published, and the publisher can wait for it', async () => {
    await startRouter()
    await router.db.insertInto('counters').values({ user_id: key, n: 0 }).execute()
    await store.publish(movedTo(other, 2))
    await store.waitUntilUnused(2, { timeoutMs: 20_000 })
    expect(router.topology.epoch).toBe(2)
    expect(shardOf()).toBe(other)
    // The mover takes the row over: nobody writes by the old map any more.
    await onShard(other, `insert into counters values (${key}, 0)`)
    await onShard(home, 'delete from counters')
    expect((await add()).numUpdatedRows).toBe(1n)
    expect(router.fleet.shards.map(({ id }) => id)).toEqual(['shard-1', 'shard-2'])
  })

  it('refuses nothing while it follows', async () => {
    await startRouter()
    const keys = Array.from({ length: 40 }, (_, index) => ({ user_id: 100 + index, n: 0 }))
    await router.db.insertInto('counters').values(keys).execute()
    const failures: unknown[] = []
    let working = true
    const worker = async (own: number) => {
      while (working) {
        await router.db
          .updateTable('counters')
          .set({ n: own })
          .where('user_id', '=', 100 + own)
          .execute()
        await router.db.transaction().execute((trx) =>
          trx
            .selectFrom('counters')
            .selectAll()
            .where('user_id', '=', 110 + own)
            .execute(),
        )
        await router
          .fanOut()
          .selectFrom('counters')
          .select(({ fn }) => fn.sum('n').as('n'))
          .execute()
      }
    }
    const workers = [0, 1, 2].map((own) => worker(own).catch((error: unknown) => failures.push(error)))
    for (const epoch of [2, 3, 4, 5]) {
      await store.publish(movedTo(epoch % 2 === 0 ? other : home, epoch))
      await store.waitUntilUnused(epoch, { timeoutMs: 20_000 })
    }
    working = false
    await Promise.all(workers)
    expect(failures).toEqual([])
    expect(router.topology.epoch).toBe(5)
  })

  it('is waited for while a statement of several steps is under way', async () => {
    await startRouter()
    await router.db.insertInto('counters').values({ user_id: key, n: 0 }).execute()
    const slow = router.db
      .updateTable('counters')
      .set({ n: sql<number>`n + 1 + length(pg_sleep(1.2)::text)` })
      .where('user_id', '=', key)
      .executeTakeFirstOrThrow()
    await expect
      .poll(
        async () =>
          (
            await onShard(
              home,
              `select 1 from pg_stat_activity where query like '%pg_sleep(1.2)%' and pid <> pg_backend_pid()`,
            )
          ).length,
      )
      .toBe(1)
    await store.publish(movedTo(other, 2))
    await expect.poll(() => router.topology.epoch, { timeout: 10_000 }).toBe(2)
    await expect(store.waitUntilUnused(2, { timeoutMs: 200 })).rejects.toMatchObject({ code: 'TOPOLOGY_STILL_IN_USE' })
    expect((await slow).numUpdatedRows).toBe(1n)
    await store.waitUntilUnused(2, { timeoutMs: 20_000 })
  })

  it('keeps an open transaction and an open stream on the old topology, and counts them', async () => {
    await startRouter()
    await router.db.insertInto('counters').values({ user_id: key, n: 0 }).execute()
    const transaction = await router.startTransaction().execute()
    await add(transaction)
    const stream = router.fanOut().selectFrom('counters').selectAll().stream()
    await stream.next()
    await store.publish(movedTo(other, 2))
    await expect.poll(() => router.topology.epoch, { timeout: 10_000 }).toBe(2)
    expect((await add(transaction)).numUpdatedRows).toBe(1n)
    await transaction.commit().execute()
    // The stream is still open; its server has nothing to wait for, this process has.
    await expect(store.waitUntilUnused(2, { timeoutMs: 200 })).rejects.toMatchObject({ code: 'TOPOLOGY_STILL_IN_USE' })
    await stream.return?.()
    await store.waitUntilUnused(2, { timeoutMs: 20_000 })
    expect(await onShard(home, 'select n from counters')).toEqual([{ n: 2 }])
  })

  it('refuses past its lease, and serves again when it is renewed', async () => {
    await startRouter({ leaseMs: 600, heartbeatMs: 100 })
    await router.db.insertInto('counters').values({ user_id: key, n: 0 }).execute()
    const { shards } = cluster
    const server = shards.find(({ id }) => id === home)!
    await server.pause()
    try {
      await expect
        .poll(
          () =>
            add().then(
              () => 'done',
              (error: { code: string }) => error.code,
            ),
          { timeout: 20_000 },
        )
        .toBe('TOPOLOGY_STALE')
    } finally {
      await server.resume()
    }
    await expect
      .poll(
        () =>
          add().then(
            () => 'done',
            (error: { code: string }) => error.code,
          ),
        { timeout: 20_000 },
      )
      .toBe('done')
  })

  it('takes a shard that is added, and lets go of one that is removed', async () => {
    await startRouter({}, topologyOf(3, 1).shards)
    const pins = [{ family: 'user_id', key: String(key), shard: 'shard-3' }]
    // Buckets stay where they are: only the pinned key moves.
    const bucketMap = first.bucketMap.map((index) => first.shards[index]!.id)
    const wider = topologyOf(3, 2, { pins, bucketMap })
    await store.publish(wider)
    await expect.poll(() => router.topology.epoch, { timeout: 20_000 }).toBe(2)
    await store.waitUntilUnused(2, { timeoutMs: 20_000 })
    await router.db.insertInto('counters').values({ user_id: key, n: 0 }).execute()
    expect(await onShard('shard-3', 'select n from counters')).toEqual([{ n: 0 }])
    const wide = new TopologyStore(cluster.fleet('leased'))
    await wide.publish(defineTopology({ ...topologyInputOf(first), epoch: 3, bucketMap }))
    await expect.poll(() => router.topology.shards.length, { timeout: 20_000 }).toBe(2)
    await wide.waitUntilUnused(3, { timeoutMs: 20_000 })
    await expect
      .poll(() => onShard('shard-3', 'select 1 from shardwright.topology_lease'), { timeout: 10_000 })
      .toEqual([])
    expect((await add()).numUpdatedRows).toBe(0n)
  })

  it('tries again what it could not follow, and is waited for meanwhile', async () => {
    await startRouter({ leaseMs: 3_000, heartbeatMs: 200 })
    await onShard('shard-3', 'drop table counters')
    // It does not know shard-3 yet.
    const wide = new TopologyStore(cluster.fleet('leased'))
    const bucketMap = first.bucketMap.map((index) => first.shards[index]!.id)
    await wide.publish(topologyOf(3, 2, { bucketMap }))
    await expect(wide.waitUntilUnused(2, { timeoutMs: 1_000 })).rejects.toMatchObject({ code: 'TOPOLOGY_STILL_IN_USE' })
    await router.db.insertInto('counters').values({ user_id: key, n: 0 }).execute()
    await wide.publish(movedTo(other, 3))
    await wide.waitUntilUnused(3, { timeoutMs: 20_000 })
    expect(router.topology.epoch).toBe(3)
  })

  it('serves several routers, and one that was closed is not waited for', async () => {
    await startRouter()
    const second = createShardRouter({ schema, topology: lease.topology, lease })
    const closed = createShardRouter({ schema, topology: lease.topology, lease })
    open.push(second)
    await Promise.all([second.ready(), closed.ready()])
    await closed.close()
    await store.publish(movedTo(other, 2))
    await store.waitUntilUnused(2, { timeoutMs: 20_000 })
    expect([router.topology.epoch, second.topology.epoch]).toEqual([2, 2])
    await second.db.insertInto('counters').values({ user_id: key, n: 0 }).execute()
    expect((await add()).numUpdatedRows).toBe(1n)
  })

  it('refuses a topology that is not the one of its lease', async () => {
    await startRouter()
    for (const topology of [movedTo(other, 2), { ...topologyInputOf(first), id: 'another' }]) {
      expect(() => createShardRouter({ schema, topology, lease })).toThrow(
        expect.objectContaining({ code: 'INVALID_OPTIONS' }),
      )
    }
    expect(() => createShardRouter({ schema, topology: first, lease: {} as never })).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTIONS' }),
    )
    const coordinator = 'postgres://app@127.0.0.1:1/app'
    expect(() => createShardRouter({ schema, topology: { engine: 'citus', coordinator }, lease })).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTIONS' }),
    )
  })

  it('is not given a topology by hand that no other process knows', async () => {
    await startRouter()
    await expect(router.replaceTopology(movedTo(other, 2))).rejects.toMatchObject({ code: 'INVALID_OPTIONS' })
    await store.publish(movedTo(other, 2))
    await store.waitUntilUnused(2, { timeoutMs: 20_000 })
    expect(router.topology.epoch).toBe(2)
  })

  it('replaceTopology by hand resolves when what began before is over', async () => {
    await using plain = createShardRouter({ schema, topology: first, pool: { closeTimeoutMs: 400 } })
    await plain.db.insertInto('counters').values({ user_id: 1, n: 0 }).execute()
    const transaction = await plain.startTransaction().execute()
    await transaction.selectFrom('counters').selectAll().where('user_id', '=', 1).execute()
    await expect(plain.replaceTopology(topologyOf(2, 2))).rejects.toMatchObject({
      code: 'TOPOLOGY_STILL_IN_USE',
      details: { ongoing: 1 },
    })
    expect(plain.topology.epoch).toBe(2)
    const replaced = plain.replaceTopology(topologyOf(2, 3))
    await transaction.rollback().execute()
    await replaced
    expect(plain.topology.epoch).toBe(3)
  })
})
