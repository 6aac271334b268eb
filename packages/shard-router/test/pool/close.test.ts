import { createServer, type Socket } from 'node:net'
import { defineTopology } from '@shardwright/core'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createShardPool } from '../../src/pool/create-shard-pool.ts'
import type { ShardPoolOptions } from '../../src/pool/pool-options.ts'
import type { ShardPool } from '../../src/pool/shard-pool.ts'
import { read, topologyOf, write } from './pool-fixture.ts'

const applicationName = 'closing'
const point = read('select k from things where k = $1', 1)
const light: ShardPoolOptions = {
  applicationName,
  size: { minimum: 0, maximum: 8, overflow: 4 },
  closeTimeoutMs: 3_000,
}

/** Everything that keeps this process awake or would, of the kinds that a pool makes. */
function held(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((name) => ['TCPSocketWrap', 'TCPConnectWrap', 'Timeout'].includes(name))
}

describe('close() leaves nothing', () => {
  let cluster: LocalCluster
  let observer: pg.Client
  let before: number

  beforeAll(async () => {
    cluster = await startLocalCluster({ shards: 2, replicasPerShard: 1 })
    observer = new pg.Client(cluster.shards[0]!.url)
    await observer.connect()
    await observer.query('create table things (k int primary key)')
    await observer.query('insert into things values (1)')
  })
  afterAll(async () => {
    await observer?.end()
    await cluster?.stop()
  })
  beforeEach(async () => {
    // Timers of the test runner come and go.
    await expect.poll(() => held().length).toBeLessThan(20)
    before = held().length
  })

  const left = async () => {
    const { rows } = await observer.query(
      'select count(*)::int as n from pg_stat_activity where application_name = $1',
      [applicationName],
    )
    return (rows[0] as { n: number }).n
  }
  const nothingLeft = async () => {
    await expect.poll(left, { timeout: 10_000 }).toBe(0)
    await expect.poll(() => held().length, { timeout: 10_000 }).toBeLessThanOrEqual(before + 1)
  }
  const outcomes = async (work: readonly Promise<unknown>[]) => {
    const settled = await Promise.allSettled(work)
    return settled.map((each) => (each.status === 'fulfilled' ? 'done' : (each.reason as { code?: string }).code))
  }

  test('in a connect storm: what was taken on is done, the rest is told', async () => {
    const pool = createShardPool(topologyOf(cluster), light)
    const statements = Array.from({ length: 60 }, (_, turn) =>
      pool.execute(0, turn % 2 === 0 ? point : read('select pg_sleep(0.01), 1 as one')),
    )
    const leases = Array.from({ length: 6 }, () => pool.lease(0).then((lease) => lease.release()))
    const closing = pool.close()
    const late = await outcomes([pool.execute(0, point), pool.lease(0)])
    expect(late).toEqual(['POOL_CLOSED', 'POOL_CLOSED'])
    expect(new Set(await outcomes([...statements, ...leases]))).toEqual(new Set(['done']))
    await closing
    await nothingLeft()
  })

  test('twice, and at once: each waits for the end', async () => {
    const pool = createShardPool(topologyOf(cluster), light)
    let ended = false
    const running = pool.execute(0, read('select pg_sleep(0.4), 1 as one')).then(() => {
      ended = true
    })
    await new Promise((resolve) => setTimeout(resolve, 100))
    const first = pool.close()
    await pool.close()
    expect(ended).toBe(true)
    await Promise.all([first, running])
    await pool.close()
    await nothingLeft()
  })

  test('while a shard leaves the topology', async () => {
    const topology = topologyOf(cluster)
    const pool = createShardPool(topology, light)
    const running = pool.execute(1, read('select pg_sleep(0.4), 1 as one'))
    await new Promise((resolve) => setTimeout(resolve, 150))
    const { pool: smaller, drained } = pool.replaceTopology({
      ...topology,
      epoch: 2,
      shards: [topology.shards[0]!],
      bucketMap: topology.bucketMap.map(() => 0),
    })
    let over = false
    void drained.then(() => {
      over = true
    })
    await smaller.close()
    await new Promise(setImmediate)
    expect(over).toBe(true)
    expect((await running).rowCount).toBe(1)
    expect(() => smaller.replaceTopology({ ...topology, epoch: 3 })).toThrow(/closed/)
    await nothingLeft()
  })

  test('before and after the first read of a replica', async () => {
    const reads = { ...light, replicas: { reads: 'replica' as const, probeIntervalMs: 50 } }
    const unused = createShardPool(topologyOf(cluster), reads)
    await unused.close()
    expect(await outcomes([unused.execute(0, point), unused.commitToken(0)])).toEqual(['POOL_CLOSED', 'POOL_CLOSED'])
    const used = createShardPool(topologyOf(cluster), reads)
    const first = used.execute(0, point)
    const closing = used.close()
    await outcomes([first])
    await closing
    await nothingLeft()
  })

  test('when a shard is dead: others end at once, and so do its callers', async () => {
    const pool = createShardPool(topologyOf(cluster), { ...light, retry: { maxRetries: 20 }, connectTimeoutMs: 1_000 })
    await pool.execute(1, read('select 1 as one where 1 = $1', 1))
    await cluster.shards[1]!.kill()
    const stuck = outcomes(Array.from({ length: 30 }, () => pool.execute(1, read('select 1 as one where 1 = $1', 1))))
    const fine = pool.execute(0, point)
    await new Promise((resolve) => setTimeout(resolve, 200))
    const start = performance.now()
    await pool.close()
    expect(performance.now() - start).toBeLessThan(8_000)
    expect(await outcomes([fine])).toEqual(['done'])
    expect(await stuck).not.toContain('done')
    await cluster.shards[1]!.start()
    await nothingLeft()
  })

  test('when a server takes connections and says nothing', async () => {
    await using hole = await blackHole()
    const pool: ShardPool = createShardPool(hole.topology, {
      ...light,
      closeTimeoutMs: 300,
      lane: { capMs: 100, answerGraceMs: 100 },
    })
    const work = [
      ...Array.from({ length: 20 }, () => pool.execute(0, point)),
      pool.execute(0, write('vacuum')),
      pool.lease(0),
    ]
    const ends = outcomes(work)
    await new Promise((resolve) => setTimeout(resolve, 100))
    const start = performance.now()
    await pool.close()
    expect(performance.now() - start).toBeLessThan(4_000)
    expect(await ends).not.toContain('done')
    await expect.poll(() => hole.sockets.size).toBe(0)
    await nothingLeft()
  })
})

async function blackHole() {
  const sockets = new Set<Socket>()
  const listener = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    socket.resume()
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const { port } = listener.address() as { port: number }
  return {
    sockets,
    topology: defineTopology({
      id: 'hole',
      hash: 'postgres',
      shards: [{ id: 'shard-1', primary: `postgres://app:app@127.0.0.1:${port}/app` }],
    }),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => listener.close(resolve))
    },
  }
}
