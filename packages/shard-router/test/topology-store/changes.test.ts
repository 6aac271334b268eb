// What goes wrong while a topology is changed: servers, networks, clocks and several who change it.
import { connect, createServer, type Socket } from 'node:net'
import { createFleet, defineTopology, systemClock, type Topology, topologyInputOf } from '@shardwright/core'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { Client } from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { createShardPool } from '../../src/pool/create-shard-pool.ts'
import type { TopologyLease } from '../../src/topology-store/topology-lease.ts'
import { TopologyStore } from '../../src/topology-store/topology-store.ts'
import { failureOf, topologyOf, write } from '../pool/pool-fixture.ts'

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

describe('a change of the topology', () => {
  let cluster: LocalCluster
  let first: Topology
  let next: Topology
  let store: TopologyStore

  const codeOf = (lease: TopologyLease, shard = 'shard-1') => {
    try {
      lease.check(shard)
      return 'held'
    } catch (error) {
      return (error as { code: string }).code
    }
  }
  const successorOf = (topology: Topology, buckets: readonly number[], shard: string) => {
    const bucketMap = topology.bucketMap.map((index) => topology.shards[index]!.id)
    for (const bucket of buckets) bucketMap[bucket] = shard
    return defineTopology({ ...topologyInputOf(topology), epoch: topology.epoch + 1, bucketMap })
  }
  const on = async <Row>(shard: number, sql: string, parameters: readonly unknown[] = []) => {
    const client = new Client(cluster.shards[shard]!.url)
    await client.connect()
    try {
      return (await client.query(sql, [...parameters])).rows as Row[]
    } finally {
      await client.end()
    }
  }
  const sessions = async (shard: number) =>
    (await on(shard, "select 1 from pg_stat_activity where application_name = 'shardwright topology'")).length

  beforeAll(async () => {
    cluster = await startLocalCluster({ shards: 2 })
    for (const shard of [0, 1]) {
      await on(shard, 'create table counters (bucket int primary key, n int not null)')
      await on(shard, "create role changer login password 'changer'")
    }
  })
  afterAll(() => cluster.stop())
  beforeEach(async () => {
    first = topologyOf(cluster, 'changing')
    next = successorOf(first, [3], 'shard-2')
    store = new TopologyStore(cluster.fleet('changing'))
    for (const shard of [0, 1]) {
      await on(shard, 'drop schema if exists shardwright cascade')
      await on(shard, 'truncate counters')
    }
    await store.install()
    await store.publish(first)
  })

  test('a shard that is down or frozen is asked until the time is over, and no connection is left', async () => {
    await store.publish(next)
    await cluster.shards[1]!.kill()
    const waiting = store.waitUntilUnused(2, { timeoutMs: 60_000 })
    expect(await failureOf(store.waitUntilUnused(2, { timeoutMs: 500 }))).toMatchObject({
      code: 'TOPOLOGY_STILL_IN_USE',
      details: { shard: 'shard-2' },
      cause: { code: 'SHARD_UNREACHABLE' },
    })
    await cluster.shards[1]!.start()
    await waiting
    await cluster.shards[0]!.pause()
    const start = performance.now()
    try {
      expect(await failureOf(store.waitUntilUnused(2, { timeoutMs: 500 }))).toMatchObject({
        code: 'TOPOLOGY_STILL_IN_USE',
        details: { shard: 'shard-1' },
      })
      const given = new AbortController()
      const aborted = failureOf(store.waitUntilUnused(2, { timeoutMs: 60_000, signal: given.signal }))
      given.abort(new Error('enough'))
      expect(await aborted).toMatchObject({ message: 'enough' })
      expect(performance.now() - start).toBeLessThan(10_000)
    } finally {
      await cluster.shards[0]!.resume()
    }
    for (const shard of [0, 1]) await expect.poll(() => sessions(shard), { timeout: 10_000 }).toBe(0)
  })

  test('a role without privileges waits for the transactions of others, also for one that is prepared meanwhile', async () => {
    const fleet = createFleet({
      topologyId: 'changing',
      Client: Client as never,
      shards: cluster.shards.map(({ id, url }) => {
        const own = new URL(url)
        own.username = 'changer'
        own.password = 'changer'
        return { id, url: own.href }
      }),
    })
    for (const shard of [0, 1]) {
      await on(shard, 'grant usage on schema shardwright to changer')
      await on(shard, 'grant all on all tables in schema shardwright to changer')
    }
    await store.publish(next)
    const changer = new TopologyStore(fleet)
    const writer = new Client(cluster.shards[0]!.url)
    onTestFinished(() => writer.end())
    await writer.connect()
    await writer.query('begin')
    await writer.query('insert into counters values (1, 1)')
    expect(await failureOf(changer.waitUntilUnused(2, { timeoutMs: 300 }))).toMatchObject({
      code: 'TOPOLOGY_STILL_IN_USE',
      details: { shard: 'shard-1', transactions: [{ pid: expect.any(Number) }] },
    })
    let over = false
    const waiting = changer.waitUntilUnused(2, { timeoutMs: 20_000 }).then(() => {
      over = true
    })
    await pause(300)
    await writer.query("prepare transaction 'changing'")
    await pause(500)
    expect(over).toBe(false)
    await writer.query("commit prepared 'changing'")
    await waiting
  })

  test("a server's clock that is set forward ends no lease for the one who waits", async () => {
    const lease = await store.hold(first, { leaseMs: 1_500, heartbeatMs: 60_000 })
    await store.publish(next)
    await on(0, "update shardwright.topology_lease set expires_at = clock_timestamp() - interval '1 minute'")
    await on(1, "update shardwright.topology_lease set expires_at = clock_timestamp() - interval '1 minute'")
    await store.waitUntilUnused(2, { timeoutMs: 20_000 })
    expect(codeOf(lease)).toBe('TOPOLOGY_STALE')
    await lease.release()
  })

  test('a holder whose machine slept, or whose event loop was blocked, refuses at once', async () => {
    let sleptMs = 0
    const clock = { ...systemClock, now: () => Date.now() + sleptMs }
    const lease = await store.hold(first, { leaseMs: 1_000, heartbeatMs: 60_000, clock })
    expect(codeOf(lease)).toBe('held')
    // A monotonic clock stands still while the machine sleeps.
    sleptMs = 2_000
    expect(codeOf(lease)).toBe('TOPOLOGY_STALE')
    sleptMs = 0
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_200)
    expect(codeOf(lease)).toBe('TOPOLOGY_STALE')
    await lease.renew()
    expect(codeOf(lease)).toBe('held')
    await lease.release()
  })

  test('a write that the network held back past its lease is told as such, not as 0 rows', async () => {
    await on(0, 'insert into counters values (3, 0)')
    await using network = await heldNetwork(new URL(cluster.shards[0]!.url))
    const [{ id, primary }, ...others] = first.shards as [Topology['shards'][number], ...Topology['shards'][number][]]
    const url = new URL(primary.url)
    url.port = String(network.port)
    const input = topologyInputOf(first)
    const behind = { id, primary: { url: url.href, directUrl: primary.directUrl } }
    const topology = defineTopology({
      ...input,
      shards: [behind, ...others.map((shard) => ({ id: shard.id, primary: shard.primary.url }))],
    })
    const lease = await store.hold(first, { leaseMs: 1_200, heartbeatMs: 60_000 })
    const pool = createShardPool(topology, { gate: lease, lane: { capMs: 20_000 } })
    const add = write('update counters set n = n + 1 where bucket = $1', 3)
    expect((await pool.execute(0, add)).rowCount).toBe(1)
    const transaction = await pool.lease(0)
    await transaction.execute(write('begin'))
    network.hold()
    const late = [failureOf(pool.execute(0, add)), failureOf(transaction.execute(add))]
    await store.publish(next)
    await store.waitUntilUnused(2, { timeoutMs: 20_000 })
    await on(1, 'insert into counters select 3, 1')
    await on(0, 'delete from counters where bucket = 3')
    network.release()
    for (const failure of await Promise.all(late)) {
      expect(failure).toMatchObject({ code: 'TOPOLOGY_STALE', details: { shard: 'shard-1', sent: true } })
    }
    await transaction.execute(write('rollback'))
    transaction.release()
    expect(await failureOf(pool.execute(0, add))).toMatchObject({ code: 'TOPOLOGY_STALE', details: { sent: false } })
    await lease.release()
    await pool.close()
  })

  test('of two who change it at once one is refused, whatever the order of their shards', async () => {
    for (let epoch = 2; epoch < 8; epoch++) {
      const current = await store.read(first.shards)
      const { shards } = cluster.fleet('changing')
      const backwards = new TopologyStore({ topologyId: 'changing', shards: shards.toReversed() })
      const mine = successorOf(current, [4, epoch], 'shard-1')
      const other = successorOf(current, [5, epoch], 'shard-2')
      const outcomes = await Promise.allSettled([store.publish(mine), backwards.publish(other)])
      expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
      const stored = await Promise.all(
        [0, 1].map((shard) => on(shard, 'select epoch, document from shardwright.topology')),
      )
      expect(stored[0]).toEqual(stored[1])
    }
  })

  test('a lease whose session was ended hears of the next epoch all the same', async () => {
    const lease = await store.hold(first, { leaseMs: 20_000, heartbeatMs: 300 })
    const seen: number[] = []
    lease.follow(async (topology) => {
      seen.push(topology.epoch)
      return { drained: Promise.resolve() }
    })
    for (const shard of [0, 1]) {
      await on(
        shard,
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'shardwright topology lease'",
      )
    }
    await store.publish(next)
    await store.waitUntilUnused(2, { timeoutMs: 20_000 })
    expect(seen).toEqual([2])
    const listening = () =>
      on(0, "select 1 from pg_stat_activity where application_name = 'shardwright topology lease'")
    expect(await listening()).toHaveLength(1)
    await lease.release()
    await expect.poll(listening, { timeout: 10_000 }).toEqual([])
  })

  test('a lease follows the primary of its shard to a replica that was promoted', async () => {
    await using replicated = await startLocalCluster({ shards: 1, replicasPerShard: 1 })
    const [shard] = replicated.shards
    const topology = topologyOf(replicated, 'promoted')
    const own = new TopologyStore(replicated.fleet('promoted'))
    await own.install()
    await own.publish(topology)
    await using lease = await own.hold(topology, { leaseMs: 1_500, heartbeatMs: 200 })
    const pool = createShardPool(topology, { gate: lease })
    expect(codeOf(lease)).toBe('held')
    await shard!.stop({ mode: 'fast' })
    await shard!.replicas[0]!.promote()
    await pause(1_500)
    await expect.poll(() => codeOf(lease), { timeout: 10_000 }).toBe('held')
    await pool.execute(0, write('create table promoted (k int)'))
    await pool.close()
  })
})

/** A way to a server that can hold back everything that is sent to it. */
async function heldNetwork(target: URL) {
  const sockets = new Set<Socket>()
  const listener = createServer((near) => {
    const far = connect(Number(target.port), target.hostname)
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        near.destroy()
        far.destroy()
      })
    }
    near.on('data', (bytes) => {
      if (held === undefined) far.write(bytes)
      else held.push(() => far.write(bytes))
    })
    far.pipe(near)
  })
  let held: (() => void)[] | undefined
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  return {
    port: (listener.address() as { port: number }).port,
    hold() {
      held = []
    },
    release() {
      const waiting = held ?? []
      held = undefined
      for (const send of waiting) send()
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => listener.close(resolve))
    },
  }
}
