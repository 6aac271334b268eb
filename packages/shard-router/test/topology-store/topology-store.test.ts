import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { defineTopology, type Topology, topologyInputOf } from '@shardwright/core'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createShardPool } from '../../src/pool/create-shard-pool.ts'
import { TopologyStore } from '../../src/topology-store/topology-store.ts'
import { failureOf, read, topologyOf, write } from '../pool/pool-fixture.ts'

describe('the topology store', () => {
  let cluster: LocalCluster
  let first: Topology
  let store: TopologyStore

  const codeOf = (check: () => void) => {
    try {
      check()
      return 'held'
    } catch (error) {
      return (error as { code: string }).code
    }
  }
  const withBucketOn = (topology: Topology, bucket: number, shard: string) => {
    const map = topology.bucketMap.map((index) => topology.shards[index]!.id)
    map[bucket] = shard
    return defineTopology({ ...topologyInputOf(topology), epoch: topology.epoch + 1, bucketMap: map })
  }

  beforeAll(async () => {
    cluster = await startLocalCluster({ shards: 2, databasePerShard: true })
  })
  afterAll(() => cluster.stop())
  beforeEach(async () => {
    first = topologyOf(cluster, 'store')
    store = new TopologyStore(cluster.fleet('store'))
    const pool = createShardPool(first)
    for (const shard of [0, 1]) {
      await pool.execute(shard, write('drop schema if exists shardwright cascade'))
      await pool.execute(shard, write('drop table if exists counters'))
      await pool.execute(shard, write('create table counters (bucket int primary key, n int not null)'))
    }
    await pool.execute(0, write('insert into counters select b, 0 from generate_series(0, 9) b'))
    await pool.close()
    await store.install()
    await store.install()
    await store.publish(first)
  })

  test('keeps a topology without its URLs and gives it back', async () => {
    expect(await store.read(first.shards)).toEqual(first)
    const next = withBucketOn(first, 3, 'shard-2')
    await store.publish(next)
    await store.publish(next)
    expect(await store.read(first.shards)).toEqual(next)
    expect(await failureOf(store.publish(first))).toMatchObject({ code: 'TOPOLOGY_CONFLICT' })
    expect(await failureOf(store.publish(withBucketOn(first, 4, 'shard-2')))).toMatchObject({
      code: 'TOPOLOGY_CONFLICT',
    })
    expect(await failureOf(store.read([first.shards[0]!]))).toMatchObject({ code: 'TOPOLOGY_SHARD_UNKNOWN' })
    const pool = createShardPool(first)
    const { rows } = await pool.execute(0, read('select document::text as d from shardwright.topology'))
    expect((rows[0] as { d: string }).d).not.toContain('postgres:')
    await pool.execute(0, write(`update shardwright.topology set document = '{"id": 3}'`))
    expect(await failureOf(store.read(first.shards))).toMatchObject({ code: 'TOPOLOGY_DAMAGED' })
    await pool.close()
  })

  test('refuses what is no next epoch of it, before anything is written', async () => {
    const input = { ...topologyInputOf(first), epoch: 2 }
    const { bucketMap: _, ...unmapped } = input
    for (const [next, message] of [
      [defineTopology({ ...input, id: 'other' }), "'store', and what is to be published is 'other'"],
      [defineTopology({ ...input, hash: 'murmur3' }), 'hash and number of buckets never change'],
      [defineTopology({ ...unmapped, buckets: first.buckets * 2 }), `in ${first.buckets} buckets by postgres hash`],
    ] as const) {
      const failure = await failureOf(store.publish(next))
      expect(failure).toMatchObject({ code: 'TOPOLOGY_CONFLICT', message: expect.stringContaining(message) })
    }
    expect(await store.read(first.shards)).toEqual(first)
  })

  test('a holder hears of a change, and its lease follows when its last old work is over', async () => {
    const seen: number[] = []
    const lease = await store.hold(first, { leaseMs: 60_000 })
    let drain = () => {}
    lease.follow(async (next) => {
      seen.push(next.epoch)
      return { drained: new Promise((resolve) => (drain = resolve)) }
    })
    lease.check('shard-1')
    const leave = lease.enter(1)
    const next = withBucketOn(first, 3, 'shard-2')
    await store.publish(next)
    await expect.poll(() => seen, { timeout: 20_000 }).toEqual([2])
    drain()
    expect(await failureOf(store.waitUntilUnused(2, { timeoutMs: 300 }))).toMatchObject({
      code: 'TOPOLOGY_STILL_IN_USE',
      details: { leases: [{ epoch: '1' }] },
    })
    expect(lease.epoch).toBe(2)
    leave()
    await lease.renew()
    await store.waitUntilUnused(2, { timeoutMs: 20_000 })
    lease.check('shard-2')
    await lease.release()
    expect(await failureOf(Promise.resolve().then(() => lease.check('shard-2')))).toMatchObject({
      code: 'TOPOLOGY_STALE',
    })
  })

  test('an expired lease refuses, and cannot be renewed for an old epoch', async () => {
    const lease = await store.hold(first, { leaseMs: 400, heartbeatMs: 60_000 })
    const pool = createShardPool(first, { gate: lease })
    expect((await pool.execute(0, read('select n from counters where bucket = $1', 1))).rowCount).toBe(1)
    const open = await pool.lease(0)
    await open.execute(write('begin'))
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(await failureOf(pool.execute(0, read('select n from counters where bucket = $1', 1)))).toMatchObject({
      code: 'TOPOLOGY_STALE',
    })
    expect(await failureOf(open.execute(write('commit')))).toMatchObject({ code: 'TOPOLOGY_STALE' })
    await open.execute(write('rollback'))
    open.release()
    await store.publish(withBucketOn(first, 3, 'shard-2'))
    await lease.renew()
    expect(() => lease.check('shard-1')).toThrow(/epoch 2 is current there/)
    await store.waitUntilUnused(2, { timeoutMs: 20_000 })
    await lease.release()
    await pool.close()
  })

  test('a frozen server holds up neither the release nor the return of a lease', async () => {
    const settings = { leaseMs: 500, heartbeatMs: 100 }
    const lease = await store.hold(first, settings)
    const leaving = await store.hold(first, settings)
    await cluster.shards[0]!.pause()
    try {
      await expect.poll(() => codeOf(() => lease.check('shard-1')), { timeout: 10_000 }).toBe('TOPOLOGY_STALE')
      const start = performance.now()
      await leaving.release()
      expect(performance.now() - start).toBeLessThan(8_000)
    } finally {
      await cluster.shards[0]!.resume()
    }
    // The lease ran out on the server too, but the epoch is still the current one.
    await expect.poll(() => codeOf(() => lease.check('shard-1')), { timeout: 15_000 }).toBe('held')
    await lease.release()
    expect(() => lease.check('shard-1')).toThrow("The lease on epoch 1 at shard 'shard-1' is over (it was released).")
  })

  test('open transactions of the old epoch are waited for', async () => {
    const pool = createShardPool(first)
    const open = await pool.lease(1)
    await open.execute(write('begin'))
    await open.execute(read('select 1'))
    await store.publish(withBucketOn(first, 3, 'shard-2'))
    expect(await failureOf(store.waitUntilUnused(2, { timeoutMs: 300 }))).toMatchObject({
      code: 'TOPOLOGY_STILL_IN_USE',
      details: { shard: 'shard-2' },
    })
    const waiting = store.waitUntilUnused(2, { timeoutMs: 20_000 })
    await open.execute(write('commit'))
    open.release()
    await waiting
    await pool.close()
  })

  test('a process that slept through a move loses no write', async () => {
    const child = startWriter(first)
    try {
      await answer(child)
      expect(await ask(child, 3)).toEqual({ epoch: 1, rowCount: 1 })
      child.kill('SIGSTOP')
      const next = withBucketOn(first, 3, 'shard-2')
      await store.publish(next)
      // What a bucket move does: nobody writes by the old map any more, so the row may go.
      await store.waitUntilUnused(2, { timeoutMs: 30_000 })
      const mover = createShardPool(next)
      await mover.execute(1, write('insert into counters (bucket, n) values ($1, $2)', 3, 1))
      await mover.execute(0, write('delete from counters where bucket = $1', 3))
      child.send(3)
      child.kill('SIGCONT')
      const after = (await answer(child)) as { rowCount?: number; code?: string }
      // Never 0 rows: it refuses, or it has moved on already.
      if (after.rowCount !== 1) expect(after).toEqual({ epoch: expect.any(Number), code: 'TOPOLOGY_STALE' })
      let total = 1 + (after.rowCount ?? 0)
      await expect
        .poll(
          async () => {
            const result = (await ask(child, 3)) as { rowCount?: number }
            expect(result.rowCount).not.toBe(0)
            total += result.rowCount ?? 0
            return result
          },
          { timeout: 30_000 },
        )
        .toEqual({ epoch: 2, rowCount: 1 })
      expect((await mover.execute(1, read('select n from counters where bucket = $1', 3))).rows).toEqual([{ n: total }])
      await mover.close()
    } finally {
      child.kill('SIGKILL')
    }
  })
})

function startWriter(topology: Topology): ChildProcess {
  const file = fileURLToPath(new URL('./stale-writer.ts', import.meta.url))
  const execArgv = ['--conditions=shardwright-source']
  return fork(file, [JSON.stringify(topologyInputOf(topology))], {
    execArgv,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
}

async function answer(child: ChildProcess): Promise<unknown> {
  return ((await once(child, 'message')) as unknown[])[0]
}

function ask(child: ChildProcess, bucket: number): Promise<unknown> {
  const reply = answer(child)
  child.send(bucket)
  return reply
}
