import { once } from 'node:events'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createShardPool } from '../../src/pool/create-shard-pool.ts'
import { resolvePoolOptions, type ShardPoolOptions } from '../../src/pool/pool-options.ts'
import type { ShardPool } from '../../src/pool/shard-pool.ts'
import { failureOf, read, topologyOf, write } from './pool-fixture.ts'

const alone = read('select pg_sleep(0.02)::text as slept')

describe('the sizes of a pool', () => {
  let cluster: LocalCluster
  let pool: ShardPool

  beforeAll(async () => {
    cluster = await startLocalCluster({ shards: 1, databasePerShard: true })
  })
  afterAll(() => cluster.stop())
  afterEach(() => pool?.close())

  const open = (options: ShardPoolOptions) => {
    pool = createShardPool(topologyOf(cluster), { applicationName: 'sized', ...options })
  }
  /** Process ids of the sessions that the server has for the pool. */
  const sessions = async (): Promise<readonly number[]> => {
    const client = await pool.direct(0, { applicationName: 'observer' })
    const { rows } = await client.query<{ pid: number }>(
      "select pid from pg_stat_activity where application_name = 'sized' and pid <> pg_backend_pid() order by pid",
    )
    await client.end()
    return rows.map(({ pid }) => pid)
  }
  const lane = { pipeline: false }

  test('the minimum is open from the start, and again when its sessions were ended', async () => {
    open({ size: { minimum: 3, maximum: 5, idleTimeoutMs: 200 }, lane })
    await pool.warm()
    const first = await sessions()
    expect(first).toHaveLength(3)
    const client = await pool.direct(0, { applicationName: 'observer' })
    await client.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'sized'")
    await client.end()
    await expect.poll(sessions, { timeout: 5_000 }).toHaveLength(3)
    expect((await sessions()).filter((pid) => first.includes(pid))).toEqual([])
    // More than the minimum is idle for its time only.
    await Promise.all(Array.from({ length: 5 }, () => pool.execute(0, alone)))
    expect((await sessions()).length).toBeGreaterThan(3)
    await expect.poll(sessions, { timeout: 5_000 }).toHaveLength(3)
  })

  test('no session outlives its time, none that works is cut, and the minimum stays', async () => {
    open({ size: { minimum: 2, maximum: 4, maxLifetimeMs: 300 }, lane: { slowMs: 60_000 } })
    await pool.warm()
    await pool.execute(0, write('create table lived (k int primary key)'))
    await pool.execute(0, write('insert into lived select generate_series(1, 9)'))
    const met = new Set<number>()
    const until = performance.now() + 1_500
    const worker = async () => {
      while (performance.now() < until) {
        await pool.execute(0, alone)
        expect((await pool.execute(0, read('select k from lived where k = $1', 7))).rows).toEqual([{ k: 7 }])
        const lease = await pool.lease(0)
        await lease.execute(write('begin'))
        met.add(lease.processId)
        await lease.execute(write('update lived set k = k where k = $1', 7))
        await lease.execute(write('commit'))
        lease.release()
      }
    }
    await Promise.all(Array.from({ length: 6 }, worker))
    expect(met.size).toBeGreaterThan(4)
    await new Promise((resolve) => setTimeout(resolve, 700))
    expect((await sessions()).filter((pid) => met.has(pid))).toEqual([])
    // One may be on its way to be replaced, at any moment.
    await expect.poll(async () => (await sessions()).length).toBeGreaterThanOrEqual(2)
  })

  test('who waits too long is told the figures', async () => {
    open({ size: { minimum: 0, maximum: 1, overflow: 1, acquireTimeoutMs: 150 }, lane })
    const leases = await Promise.all([pool.lease(0), pool.lease(0)])
    const failure = await failureOf(pool.execute(0, alone))
    expect(failure).toMatchObject({
      code: 'POOL_TIMEOUT',
      details: { leased: 2, opening: 0, idle: 0, maximum: 1, overflow: 1 },
      hint: expect.stringContaining('acquireTimeoutMs'),
    })
    expect(failure.message).toContain('within 150 ms: 2 in use and 0 being opened of 1 and 1 more under pressure')
    for (const lease of leases) lease.release()
    expect((await pool.execute(0, alone)).rowCount).toBe(1)
  })

  test('what the servers do not admit is said with the sum, by the process where nobody listens', async () => {
    const role = decodeURIComponent(new URL(cluster.shards[0]!.url).username)
    open({ preset: 'production', processes: 3, size: { minimum: 0 } })
    const admin = await pool.direct(0, { applicationName: 'observer' })
    const { rows } = await admin.query<{ n: number }>(`select current_setting('max_connections')::int
      - current_setting('superuser_reserved_connections')::int - current_setting('reserved_connections')::int as n`)
    const warned = once(process, 'warning')
    await pool.warm()
    const [warning] = (await warned) as [Error & { code?: string }]
    expect(warning).toMatchObject({ name: 'ShardwrightWarning', code: 'CONNECTION_LIMIT' })
    expect(warning.message).toContain(`allows ${rows[0]?.n} connections, but 3 process(es) x (74) = 222 may be opened`)
    await pool.close()
    // What the role may open counts too.
    await admin.query(`alter role "${role}" connection limit 30`)
    open({ preset: 'staging', size: { minimum: 0 } })
    const limited = once(process, 'warning')
    await pool.warm()
    const [second] = (await limited) as [Error]
    await admin.query(`alter role "${role}" connection limit -1`)
    await admin.end()
    expect(second.message).toContain('allows 30 connections, but 1 process(es) x (34) = 34 may be opened')
  })
})

describe('the options of a pool', () => {
  const messageOf = (options: unknown) => {
    try {
      resolvePoolOptions(options as ShardPoolOptions)
    } catch (error) {
      expect(error).toMatchObject({ code: 'INVALID_POOL_OPTIONS', hint: expect.any(String) })
      return (error as Error).message
    }
    throw new Error(`taken: ${JSON.stringify(options)}`)
  }

  test('have the presets of services', () => {
    const sizes = (['development', 'staging', 'production'] as const).map(
      (preset) => resolvePoolOptions({ preset }).size,
    )
    expect(sizes.map((size) => [size.minimum, size.maximum, size.overflow, size.acquireTimeoutMs])).toEqual([
      [2, 10, 5, 30_000],
      [5, 20, 10, 30_000],
      [10, 50, 20, 30_000],
    ])
    const { size, replicaSize } = resolvePoolOptions({ size: { maximum: 7 }, replicaSize: { minimum: 1 } })
    expect([size.minimum, size.maximum, replicaSize.minimum, replicaSize.maximum]).toEqual([2, 7, 1, 7])
  })

  test('what is no number of connections or milliseconds is refused by its name', () => {
    const fields = ['minimum', 'maximum', 'overflow', 'acquireTimeoutMs', 'idleTimeoutMs', 'maxLifetimeMs'] as const
    for (const field of fields) {
      for (const value of [-1, Number.NaN, '10', null, Number.POSITIVE_INFINITY]) {
        expect(messageOf({ size: { [field]: value } })).toContain(field)
        expect(messageOf({ replicaSize: { [field]: value } })).toContain('replicaSize')
      }
    }
    for (const field of ['maximum', 'acquireTimeoutMs', 'idleTimeoutMs', 'maxLifetimeMs']) {
      expect(messageOf({ size: { [field]: 0 } })).toContain(field)
    }
    for (const field of ['minimum', 'maximum', 'overflow'])
      expect(messageOf({ size: { [field]: 1.5 } })).toContain(field)
    expect(messageOf({ size: { minimun: 1 } })).toContain('minimun')
    expect(messageOf({ preset: 'test' })).toContain('preset')
    for (const field of ['maxConnections', 'processes']) {
      for (const value of [0, -1, 1.5, Number.NaN, '4']) expect(messageOf({ [field]: value })).toContain(field)
    }
  })

  test('a minimum above the maximum is refused, and told where it comes from', () => {
    expect(messageOf({ size: { minimum: 9, maximum: 3 } })).toBe(
      'Pool options: size.minimum 9 is above size.maximum 3.',
    )
    expect(messageOf({ preset: 'production', size: { maximum: 5 } })).toContain("10 (as preset 'production' has it)")
    expect(messageOf({ replicaSize: { maximum: 1 } })).toContain('replicaSize.minimum 2')
  })
})
