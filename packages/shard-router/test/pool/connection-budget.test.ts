import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createShardPool } from '../../src/pool/create-shard-pool.ts'
import type { ShardPoolOptions } from '../../src/pool/pool-options.ts'
import { failureOf, read, topologyOf } from './pool-fixture.ts'

const applicationName = 'budget'
const options = (maxConnections: number): ShardPoolOptions => ({
  applicationName,
  maxConnections,
  size: { minimum: 0, maximum: 10, overflow: 5 },
  connectTimeoutMs: 400,
})
const nap = read('select pg_sleep(0.02), 1 as one')

describe('a limit on all connections of a process', () => {
  let cluster: LocalCluster
  let observers: pg.Client[]

  beforeAll(async () => {
    cluster = await startLocalCluster({ shards: 2 })
    observers = cluster.shards.map(({ url }) => new pg.Client(url))
    await Promise.all(observers.map((client) => client.connect()))
  })
  afterAll(async () => {
    await Promise.all(observers.map((client) => client.end()))
    await cluster?.stop()
  })

  /** Sockets of this process: what a server still shows of a session that has ended is not ours. */
  const sockets = () =>
    process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap' || name === 'TCPConnectWrap').length
  const left = async () => {
    const counts = observers.map((client) =>
      client.query('select count(*)::int as n from pg_stat_activity where application_name = $1', [applicationName]),
    )
    return (await Promise.all(counts)).reduce((sum, { rows }) => sum + (rows[0] as { n: number }).n, 0)
  }

  test('is never passed, while both shards get what they ask for in turn', async () => {
    const pool = createShardPool(topologyOf(cluster), { ...options(6), connectTimeoutMs: 20_000 })
    const before = sockets()
    let most = 0
    let working = true
    const watch = (async () => {
      while (working) {
        most = Math.max(most, sockets() - before)
        await new Promise(setImmediate)
      }
    })()
    for (const turn of [0, 1, 0, 1]) await Promise.all(Array.from({ length: 40 }, () => pool.execute(turn, nap)))
    const both = Array.from({ length: 80 }, (_, turn) => pool.execute(turn % 2, nap))
    const points = Array.from({ length: 80 }, (_, turn) =>
      pool.execute(turn % 2, read('select 1 as one where 1 = $1', 1)),
    )
    for (const { rowCount } of await Promise.all([...both, ...points])) expect(rowCount).toBe(1)
    working = false
    await watch
    expect(most).toBeLessThanOrEqual(6)
    expect(most).toBeGreaterThan(3)
    await pool.close()
    await expect.poll(left, { timeout: 20_000 }).toBe(0)
  })

  test('tells who waits too long, and serves again when something is given back', async () => {
    const pool = createShardPool(topologyOf(cluster), options(4))
    const before = sockets()
    const leases = await Promise.all(Array.from({ length: 4 }, () => pool.lease(0)))
    expect(await failureOf(pool.lease(1))).toMatchObject({
      code: 'POOL_TIMEOUT',
      hint: expect.stringContaining('maxConnections'),
    })
    const controller = new AbortController()
    const aborted = failureOf(pool.lease(1, { signal: controller.signal }))
    controller.abort(new Error('enough'))
    expect((await aborted).message).toBe('enough')
    leases[0]!.release()
    const lease = await pool.lease(1)
    expect(sockets() - before).toBeLessThanOrEqual(4)
    for (const held of [...leases.slice(1), lease]) held.release()
    await pool.close()
    await expect.poll(left, { timeout: 20_000 }).toBe(0)
  })

  test('leaves the others theirs when a server hangs that has many callers', async () => {
    const pool = createShardPool(topologyOf(cluster), {
      ...options(8),
      size: { minimum: 0, maximum: 20, overflow: 0 },
      retry: { maxRetries: 0 },
      connectTimeoutMs: 20_000,
    })
    await Promise.all([0, 1].map((shard) => pool.execute(shard, nap)))
    const [first] = cluster.shards
    await first!.pause()
    const deadline = performance.now() + 3_500
    const stuck = Array.from({ length: 30 }, () => failureOf(pool.execute(0, nap, { deadline })))
    try {
      await new Promise((resolve) => setTimeout(resolve, 300))
      const started = performance.now()
      for (let run = 0; run < 10; run++) expect((await pool.execute(1, nap)).rowCount).toBe(1)
      // More than it had: attempts to reach the other make room.
      const leases = await Promise.all([0, 1, 2].map(() => pool.lease(1)))
      for (const lease of leases) lease.release()
      expect(performance.now() - started).toBeLessThan(5_000)
      await Promise.all(stuck)
    } finally {
      await first!.resume()
    }
    await expect
      .poll(
        () =>
          pool.execute(0, nap).then(
            ({ rowCount }) => rowCount,
            () => 0,
          ),
        { timeout: 10_000 },
      )
      .toBe(1)
    await pool.close()
    await expect.poll(left, { timeout: 20_000 }).toBe(0)
  })

  test('must leave a connection of each kind to every server', () => {
    expect(() => createShardPool(topologyOf(cluster), options(3))).toThrow(
      /maxConnections is 3; these 2 servers need 4/,
    )
  })
})
