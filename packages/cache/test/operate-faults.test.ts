// Rate limits and sessions when Redis freezes, restarts or is a cluster, and at the ends of their numbers.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRateLimiter } from '@shardwright/cache/rate-limit'
import { createSessionStore } from '@shardwright/cache/session'
import { freePort } from '@shardwright/local-cluster'
import { Cluster, Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from './caches.ts'
import { type RedisFixture, redisHere, startRedisFixture } from './redis.ts'
import { program, type RedisNode, startRedisNode } from './redis-node.ts'

const slow = { tokens: 1, everyMs: 3_600_000 }

describe.skipIf(!redisHere.available)('the numbers of a rate limit', () => {
  let fixture: RedisFixture
  let client: Redis
  beforeAll(async () => {
    fixture = await startRedisFixture()
    client = await fixture.client()
  }, 120_000)
  afterAll(async () => {
    await fixture?.[Symbol.asyncDispose]()
  })
  const options = () => ({ client, budgetMs: 5_000 })

  it('may be fractions, tiny and huge: nothing is given that is not there, and waits are finite', async () => {
    const fine = createRateLimiter({ ...options(), name: 'fine', capacity: 1, refill: { tokens: 1, everyMs: 1e12 } })
    expect((await fine.take('a', 0.75)).allowed).toBe(true)
    expect((await fine.take('a', 0.5)).allowed).toBe(false)
    expect((await fine.take('a', 0.25)).allowed).toBe(true)
    let given = 0
    // However small what is asked for: an empty bucket gives nothing.
    for (let call = 0; call < 50; call++) if ((await fine.take('a', 1e-6)).allowed) given += 1
    expect(given).toBe(0)
    const patient = createRateLimiter({
      ...options(),
      name: 'patient',
      capacity: 1e12,
      refill: { tokens: 1e-3, everyMs: 1e12 },
    })
    expect(await patient.take('a', 1e12)).toMatchObject({ allowed: true, remaining: 0, decidedBy: 'bucket' })
    const refused = await patient.take('a', 1e12)
    expect(refused).toMatchObject({ allowed: false, decidedBy: 'bucket' })
    expect(refused.retryAfterMs).toBeGreaterThan(1e12)
    expect(refused.retryAfterMs).toBeLessThan(Number.POSITIVE_INFINITY)
    expect(Number.isSafeInteger(refused.retryAfterMs)).toBe(true)
    const quick = createRateLimiter({ ...options(), name: 'quick', capacity: 1e6, refill: { tokens: 1e6, everyMs: 1 } })
    for (let call = 0; call < 20; call++) expect((await quick.take('a', 1e5)).allowed).toBe(true)
  })

  it('may change: another capacity or rate for the same name holds from the next call', async () => {
    const make = (capacity: number) => createRateLimiter({ ...options(), name: 'changing', capacity, refill: slow })
    expect(await make(100).take('a', 10)).toMatchObject({ remaining: 90 })
    expect(await make(5).peek('a')).toMatchObject({ remaining: 5 })
    expect(await make(5).take('a', 5)).toMatchObject({ allowed: true, remaining: 0 })
    expect(await make(100).take('a', 1)).toMatchObject({ allowed: false, remaining: 0 })
  })

  it('ten thousand keys take some megabytes, and none of them stays', async () => {
    const limiter = createRateLimiter({
      ...options(),
      name: 'many',
      capacity: 2,
      refill: { tokens: 2, everyMs: 3_000 },
    })
    for (let at = 0; at < 10_000; at += 500) {
      await Promise.all(Array.from({ length: 500 }, (_, index) => limiter.take(`user-${at + index}`)))
    }
    const bytes = Number(await client.call('MEMORY', 'USAGE', 'rate:many:user-9999'))
    expect(bytes).toBeLessThan(400)
    const left = async () => (await client.keys('rate:many:*')).length
    await until(async () => (await left()) === 0, 'the end of the buckets')
  })
})

describe.skipIf(!redisHere.available)('a Redis in trouble', () => {
  let fixture: RedisFixture
  beforeAll(async () => {
    fixture = await startRedisFixture()
  }, 120_000)
  afterAll(async () => {
    await fixture?.redis.resume().catch(() => undefined)
    await fixture?.[Symbol.asyncDispose]()
  })

  it('frozen: a limit answers within its budget, a session says it is not reached; afterwards both go on', async () => {
    const client = await fixture.client()
    const open = createRateLimiter({
      client,
      name: 'frozen',
      capacity: 3,
      refill: slow,
      budgetMs: 200,
      breakForMs: 300,
    })
    const closed = createRateLimiter({
      ...{ client, name: 'closed', capacity: 3, refill: slow, budgetMs: 200, breakForMs: 300 },
      whenUnavailable: 'refuse',
    })
    const sessions = createSessionStore({ client, prefix: 'frozen:', budgetMs: 200, breakForMs: 300 })
    expect(await open.take('a')).toMatchObject({ remaining: 2 })
    await sessions.set('s', { user: 1 })
    await fixture.redis.pause()
    const started = performance.now()
    const outcomes = await Promise.all([
      ...Array.from({ length: 20 }, () => open.take('a')),
      ...Array.from({ length: 20 }, () => closed.take('a')),
    ])
    expect(performance.now() - started).toBeLessThan(5_000)
    expect(outcomes.map(({ allowed }) => allowed)).toEqual([...Array(20).fill(true), ...Array(20).fill(false)])
    await expect(sessions.get('s')).rejects.toMatchObject({ code: 'SESSION_STORE_UNAVAILABLE' })
    await expect(sessions.destroy('s')).rejects.toMatchObject({ code: 'SESSION_STORE_UNAVAILABLE' })
    await fixture.redis.resume()
    await until(async () => (await open.peek('a')).decidedBy === 'bucket', 'the limit')
    await until(async () => (await sessions.set('t', { user: 2 }).catch(() => false)) === true, 'the sessions')
    expect(await sessions.get('t')).toEqual({ user: 2 })
  })

  it('restarted: scripts are gone and come back by themselves, buckets and sessions begin anew', async () => {
    const client = await fixture.client()
    const options = { client, budgetMs: 1_000, breakForMs: 100 }
    const limiter = createRateLimiter({ ...options, name: 'restarted', capacity: 2, refill: slow })
    const sessions = createSessionStore({ ...options, prefix: 'restarted:' })
    await limiter.take('a', 2)
    await sessions.set('s', { user: 1 })
    await fixture.redis.kill()
    expect(await limiter.take('a')).toMatchObject({ decidedBy: 'unavailable', allowed: true })
    await expect(sessions.touch('s')).rejects.toMatchObject({ code: 'SESSION_STORE_UNAVAILABLE' })
    await fixture.redis.restart()
    await until(async () => (await limiter.peek('a')).decidedBy === 'bucket', 'the limit')
    const again = async () => await sessions.set('s', { user: 2 }).catch(() => false)
    await until(again, 'the sessions')
    expect(await sessions.get('s')).toEqual({ user: 2 })
    expect(await sessions.touch('s', 5_000)).toBe(true)
  })

  it('of two processes at one session: what was ended stays ended, whatever the other one does', async () => {
    const stores = await Promise.all(
      [1, 2].map(async () => createSessionStore({ client: await fixture.client(), prefix: 'both:', budgetMs: 10_000 })),
    )
    for (let round = 0; round < 40; round++) {
      const id = `s${round}`
      await stores[0]!.set(id, { round })
      const work = [0, 1].flatMap((at) => [
        stores[at]!.touch(id),
        stores[at]!.set(id, { round, by: at }),
        ...(at === round % 2 ? [stores[at]!.destroy(id)] : []),
        // A regenerated session: the old one ended, another id begins.
        stores[at]!.set(`${id}-again-${at}`, { round }),
        stores[at]!.set(id, { late: true }),
      ])
      await Promise.all(work)
      expect(await stores[round % 2]!.get(id)).toBeUndefined()
      expect(await stores[1 - (round % 2)]!.set(id, { revived: true })).toBe(false)
      expect(await stores[0]!.get(`${id}-again-1`)).toEqual({ round })
    }
  })
})

describe.skipIf(!program)('a Redis Cluster', () => {
  let folder: string
  let nodes: RedisNode[] = []
  let cluster: Cluster

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shardwright-redis-operate-'))
    for (let index = 0; index < 3; index++) {
      const port = await freePort()
      const bus = ['--cluster-port', `${await freePort()}`, '--cluster-config-file', `nodes-${port}.conf`]
      nodes.push(startRedisNode(port, ['--cluster-enabled', 'yes', ...bus, '--save', '', '--dir', folder]))
    }
    for (const [index, node] of nodes.entries()) {
      const client = new Redis(node.port, '127.0.0.1', { retryStrategy: () => 50 })
      client.on('error', () => undefined)
      const [from, to] = [Math.ceil((16384 * index) / 3), Math.ceil((16384 * (index + 1)) / 3) - 1]
      await client.call('CLUSTER', 'ADDSLOTSRANGE', `${from}`, `${to}`)
      const bus = /@(\d+)/.exec(String(await client.call('CLUSTER', 'NODES')))![1]!
      const first = new Redis(nodes[0]!.port, '127.0.0.1')
      if (index > 0) await first.call('CLUSTER', 'MEET', '127.0.0.1', `${node.port}`, bus)
      first.disconnect()
      client.disconnect()
    }
    for (const node of nodes) {
      const client = new Redis(node.port, '127.0.0.1')
      const info = async () => String(await client.call('CLUSTER', 'INFO'))
      await until(async () => /cluster_state:ok[\s\S]*cluster_known_nodes:3/.test(await info()), 'the cluster')
      client.disconnect()
    }
    cluster = new Cluster([{ host: '127.0.0.1', port: nodes[0]!.port }])
    cluster.on('error', () => undefined)
    await until(() => cluster.status === 'ready', 'the client')
  }, 60_000)
  afterAll(async () => {
    cluster?.disconnect()
    for (const node of nodes) await node.stop()
    nodes = []
    await rm(folder, { recursive: true, force: true })
  })

  it('has limits and sessions on all of its nodes', async () => {
    const options = { client: cluster, budgetMs: 2_000, breakAfterFailures: 1_000 }
    const limiter = createRateLimiter({ ...options, name: 'cluster', capacity: 2, refill: slow })
    const sessions = createSessionStore({ ...options, prefix: 'cluster:' })
    const ids = Array.from({ length: 60 }, (_, index) => `user-${index}`)
    for (const id of ids) {
      expect(await limiter.take(id)).toMatchObject({ remaining: 1, decidedBy: 'bucket' })
      expect(await sessions.set(id, { id })).toBe(true)
      expect(await sessions.touch(id, 60_000)).toBe(true)
    }
    expect(await Promise.all(ids.map((id) => sessions.get(id)))).toEqual(ids.map((id) => ({ id })))
    await sessions.destroy('user-0')
    expect(await sessions.set('user-0', {})).toBe(false)
    await limiter.reset('user-1')
    expect(await limiter.peek('user-1')).toMatchObject({ remaining: 2 })
    const sizes = await Promise.all(cluster.nodes('master').map(async (node) => Number(await node.call('DBSIZE'))))
    expect(sizes.every((size) => size > 10)).toBe(true)
  })
})
