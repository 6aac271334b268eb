import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { noTelemetry, type Telemetry } from '@shardwright/core'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createShardPool } from '../../src/pool/create-shard-pool.ts'
import type { ShardPoolOptions } from '../../src/pool/pool-options.ts'
import type { ShardPool } from '../../src/pool/shard-pool.ts'
import { failureOf, read, topologyOf, write } from './pool-fixture.ts'

// What an administrator or a statement itself limits holds on the pipelined lane too.
describe('limits of the role', () => {
  let cluster: LocalCluster
  let pool: ShardPool

  beforeAll(async () => {
    cluster = await startLocalCluster({ shards: 1, databasePerShard: true })
  })
  afterAll(() => cluster.stop())
  beforeEach(async () => {
    open()
    await pool.execute(0, write('drop table if exists items'))
    await pool.execute(0, write('create table items (k int primary key, n int default 0)'))
    await pool.execute(0, write('insert into items (k) select g from generate_series(1, 100) g'))
  })
  afterEach(async () => {
    await pool.close()
    open()
    await pool.execute(0, write(`alter role "${role()}" reset all`))
    await pool.close()
  })

  const role = () => decodeURIComponent(new URL(cluster.shards[0]!.url).username)
  const open = (options: ShardPoolOptions = {}, url?: string) => {
    const topology = topologyOf(cluster)
    const [first] = topology.shards
    const primary = url === undefined ? first!.primary : { ...first!.primary, url, directUrl: url }
    pool = createShardPool({ ...topology, shards: [{ ...first!, primary }] }, { lane: { slowMs: 60_000 }, ...options })
  }
  const limit = async (setting: string) => {
    await pool.execute(0, write(`alter role "${role()}" set ${setting}`))
    await pool.close()
  }

  test('a server that admits no more sessions is not left alone: those that are open work on', async () => {
    await pool.execute(0, write("create role few login password 'few' connection limit 2"))
    await pool.execute(0, write('grant select on items to few'))
    await pool.close()
    const url = cluster.shards[0]!.url.replace(/\/\/[^@]*@/, '//few:few@')
    open({ retry: { maxRetries: 0 }, breaker: { maxFails: 2, failTimeoutMs: 60_000 } }, url)
    const one = read('select k from items where k = 1')
    expect((await pool.execute(0, one)).rowCount).toBe(1)
    const lease = await pool.lease(0)
    for (let more = 0; more < 5; more++) {
      expect(await failureOf(pool.lease(0))).toMatchObject({
        code: 'SHARD_UNREACHABLE',
        message: expect.stringContaining('53300'),
      })
    }
    expect((await pool.execute(0, one)).rowCount).toBe(1)
    expect((await lease.execute(one)).rowCount).toBe(1)
    lease.release()
    await pool.close()
    open()
    await pool.execute(0, write('drop owned by few'))
    await expect.poll(async () => await pool.execute(0, write('drop role few')), { timeout: 5_000 }).toBeDefined()
  })

  test('a shorter statement_timeout or lock_timeout than the lane’s own stays', async () => {
    await limit("statement_timeout = '300ms'")
    open()
    await limit('lock_timeout = 20')
    open()
    const settings = read('select name, setting from pg_settings where name = $1 or name = $2 order by name')
    const parameters = ['lock_timeout', 'statement_timeout']
    expect((await pool.execute(0, { ...settings, parameters })).rows).toEqual([
      { name: 'lock_timeout', setting: '20' },
      { name: 'statement_timeout', setting: '300' },
    ])
    await pool.close()
    open({ lane: { lockTimeoutMs: 10, capMs: 100 } })
    expect((await pool.execute(0, { ...settings, parameters })).rows).toEqual([
      { name: 'lock_timeout', setting: '10' },
      { name: 'statement_timeout', setting: '100' },
    ])
  })

  test('NOWAIT is answered at once, by one run; the lane’s own lock_timeout is answered by nobody', async () => {
    const failed: unknown[] = []
    const telemetry: Telemetry = {
      ...noTelemetry,
      count: (name, _, attributes) => {
        if (name === 'shardwright.pool.errors') failed.push([attributes?.lane, attributes?.code])
      },
    }
    await pool.close()
    open({ telemetry })
    const lease = await pool.lease(0)
    await lease.execute(write('begin'))
    await lease.execute(write('update items set n = 1 where k = 1'))
    const nowait = write('select k from items where k = $1 for update nowait', 1)
    expect((await failureOf(pool.execute(0, nowait))).code).toBe('55P03')
    expect(failed).toEqual([['pipelined', '55P03']])
    const waiting = pool.execute(0, write('update items set n = n + 1 where k = $1', 1))
    await expect.poll(() => failed).toHaveLength(2)
    await lease.execute(write('commit'))
    lease.release()
    expect((await waiting).rowCount).toBe(1)
    expect(failed).toHaveLength(2)
  })

  test('statements that cross the end of an idle session run again, writes too', async () => {
    await limit("idle_session_timeout = '100ms'")
    const { port } = new URL(cluster.shards[0]!.url)
    // A network with a round trip of 40 ms: the end is under way while the statements are.
    const proxy = createServer((from) => {
      const to = connect(Number(port), '127.0.0.1')
      for (const [source, target] of [[from, to] as const, [to, from] as const]) {
        source.on('data', (chunk) => setTimeout(() => target.write(chunk), 20))
        source.on('close', () => setTimeout(() => target.destroy(), 20))
        source.on('error', () => target.destroy())
      }
    }).listen(0, '127.0.0.1')
    await once(proxy, 'listening')
    const url = new URL(cluster.shards[0]!.url)
    url.port = String((proxy.address() as AddressInfo).port)
    open({ size: { minimum: 0 }, lane: { slowMs: 60_000, maxClients: 1 } }, url.href)
    const update = (k: number) => pool.execute(0, write('update items set n = n + 1 where k = $1', k))
    for (let round = 0; round < 4; round++) {
      await update(1)
      // The session ends after 80 ms of these, and what is sent up to then and until 100 arrives at nobody.
      await new Promise((resolve) => setTimeout(resolve, 65 + round * 10))
      const results = await Promise.all(Array.from({ length: 10 }, (_, k) => update(k + 2)))
      expect(results.map((result) => result.rowCount)).toEqual(Array(10).fill(1))
    }
    const { rows } = await pool.execute(
      0,
      read('select min(n)::int as least, max(n)::int as most from items where k < 12'),
    )
    expect(rows).toEqual([{ least: 4, most: 4 }])
    await pool.close()
    proxy.close()
    open()
  })
})
