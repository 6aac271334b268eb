import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Cache, createCache, memoryTier, redisTier } from '../src/index.ts'
import { freshNamespace, nodeOf, patient, until } from './caches.ts'
import { type RedisFixture, redisClient, redisHere, startRedisFixture } from './redis.ts'

const key = { name: 'item', tenant: 't', id: 1 }

describe.skipIf(!redisHere.available)('Redis in trouble', () => {
  let fixture: RedisFixture
  let caches: Cache[] = []
  const node = async (namespace: string, redis = {}): Promise<Cache> => {
    const cache = await nodeOf(
      fixture,
      namespace,
      {},
      { budgetMs: 1_000, linkLeaseMs: 1_500, invalidateBudgetMs: 1_700, breakForMs: 200, ...redis },
    )
    caches.push(cache)
    return cache
  }
  beforeEach(async () => {
    fixture = await startRedisFixture()
    caches = []
  })
  afterEach(async () => {
    await fixture.redis.resume().catch(() => undefined)
    for (const cache of caches) await cache.close()
    await fixture[Symbol.asyncDispose]()
  })

  test('frozen: callers get the answer of their load, memory is not believed past the lease, all is well afterwards', async () => {
    const cache = await node(freshNamespace())
    await cache.getOrLoad(key, async () => 'before')
    await fixture.redis.pause()
    await until(() => !cache.coherent, 'the end of the lease')
    const values = await Promise.all(
      Array.from({ length: 50 }, (_, id) => cache.getOrLoad({ ...key, id }, async () => 'load')),
    )
    expect(new Set(values)).toEqual(new Set(['load']))
    const started = performance.now()
    expect(await cache.invalidate(key)).toBe('late')
    expect(performance.now() - started).toBeLessThan(30_000)
    await fixture.redis.resume()
    await until(() => cache.coherent, 'the link')
    // What was late has been sent before anything is believed again.
    expect(await cache.getOrLoad(key, async () => 'after')).toBe('after')
    expect(await cache.getOrLoad(key, async () => 'again')).toBe('after')
  })

  test('killed and restarted: nothing of the old server is believed, leases neither', async () => {
    const namespace = freshNamespace()
    const [here, there] = [await node(namespace), await node(namespace)]
    await here.getOrLoad(key, async () => 'old')
    await fixture.redis.kill()
    expect(await there.invalidate(key)).toBe('late')
    expect(await here.getOrLoad(key, async () => 'new')).toBe('new')
    await fixture.redis.restart()
    await until(() => here.coherent && there.coherent, 'both links')
    expect(await here.getOrLoad(key, async () => 'newer')).toBe('newer')
    expect(await there.getOrLoad(key, async () => 'other')).toBe('newer')
  })

  test('a server that comes back with an old snapshot: its values carry an older epoch', async () => {
    const namespace = freshNamespace()
    const cache = await node(namespace)
    const client = await fixture.client()
    await cache.getOrLoad(key, async () => 'old')
    const text = cache.keyText(key)
    const frame = await client.getBuffer(text)
    expect(frame).not.toBeNull()
    await fixture.redis.kill()
    await fixture.redis.restart()
    await until(() => cache.coherent, 'the link')
    const again = await fixture.client()
    await again.set(text, frame!)
    expect(await cache.getOrLoad(key, async () => 'new')).toBe('new')
  })

  test('more late invalidations than are kept: everything is invalidated on return', async () => {
    const namespace = freshNamespace()
    const cache = await node(namespace, { maxLateKeys: 10 })
    const other = await node(namespace)
    for (let id = 0; id < 30; id++) await other.getOrLoad({ ...key, id }, async () => 'old')
    await fixture.redis.pause()
    const keys = Array.from({ length: 30 }, (_, id) => ({ ...key, id }))
    expect(await cache.invalidate(keys)).toBe('late')
    await fixture.redis.resume()
    await until(() => cache.coherent, 'the link')
    await until(() => other.coherent, 'the other link')
    for (let id = 0; id < 30; id++) expect(await other.getOrLoad({ ...key, id }, async () => 'new')).toBe('new')
  })

  test('never there: the cache starts, loads answer, and it joins in when Redis comes', async () => {
    await fixture.redis.kill()
    const client = redisClient(fixture.redis.url)
    const cache = createCache({
      namespace: freshNamespace(),
      tiers: [memoryTier(), redisTier({ client, linkLeaseMs: 1_500, invalidateBudgetMs: 1_500, budgetMs: 1_000 })],
    })
    caches.push(cache)
    let loads = 0
    expect(await cache.getOrLoad(key, async () => ++loads)).toBe(1)
    expect(await cache.getOrLoad(key, async () => ++loads)).toBe(2)
    await fixture.redis.restart()
    await until(() => cache.coherent, 'the link')
    await cache.getOrLoad(key, async () => ++loads)
    expect(await cache.getOrLoad(key, async () => ++loads)).toBe(3)
    client.disconnect()
  })

  test('a value over the limit is not stored and the old one is gone; large ones are compressed', async () => {
    const namespace = freshNamespace()
    const cache = createCache({
      namespace,
      tiers: [redisTier({ client: await fixture.client(), ...patient, maxValueBytes: 10_000 })],
    })
    caches.push(await cache.ready())
    const client = await fixture.client()
    const options = { ttlMs: 1, jitter: 0, earlyRefresh: 0, staleIfErrorMs: 60_000 }
    await cache.getOrLoad(key, async () => 'x'.repeat(50_000), options)
    expect(await client.strlen(cache.keyText(key))).toBeLessThan(1_000)
    await new Promise((resolve) => setTimeout(resolve, 20))
    const noise = Array.from({ length: 20_000 }, () => Math.random())
    expect(await cache.getOrLoad(key, async () => noise, options)).toEqual(noise)
    expect(await client.exists(cache.keyText(key))).toBe(0)
  })

  test('code with another fingerprint reads none of the values, yet its invalidations reach them', async () => {
    const namespace = freshNamespace()
    const make = async (fingerprint: string) => {
      const tiers = [memoryTier(), redisTier({ client: await fixture.client(), ...patient })]
      const cache = await createCache({ namespace, fingerprint, tiers }).ready()
      caches.push(cache)
      return cache
    }
    const [older, newer] = [await make('1'), await make('2')]
    await older.getOrLoad(key, async () => 'one')
    expect(await newer.getOrLoad(key, async () => ({ two: 2 }))).toEqual({ two: 2 })
    await older.invalidate(key)
    expect(await newer.getOrLoad(key, async () => ({ two: 3 }))).toEqual({ two: 3 })
  })

  test("a client with ioredis' own defaults, eager or lazy, works and hangs nobody", async () => {
    for (const lazyConnect of [false, true]) {
      const client = new Redis(fixture.redis.url, { lazyConnect })
      client.on('error', () => undefined)
      const tiers = [memoryTier(), redisTier({ client, ...patient })]
      const cache = createCache({ namespace: freshNamespace(), tiers })
      caches.push(cache)
      await until(() => cache.coherent, 'the link')
      expect(await cache.getOrLoad(key, async () => 'one')).toBe('one')
      expect(await cache.invalidate(key)).toBe('done')
      await fixture.redis.kill()
      await until(() => !cache.coherent, 'the loss of the link')
      expect(await cache.getOrLoad(key, async () => 'two')).toBe('two')
      await fixture.redis.restart()
      await until(() => cache.coherent, 'the link again')
      client.disconnect()
    }
  })

  test('client tracking: what redis-cli removes or flushes is gone from memory too', async () => {
    const namespace = freshNamespace()
    const cache = await node(namespace, { ...patient, clientTracking: true })
    const client = await fixture.client()
    let loads = 0
    const read = () => cache.getOrLoad(key, async () => ++loads)
    const inMemory = () => cache.statistics().item?.hits.memory ?? 0
    await until(() => cache.coherent, 'the link')
    const first = await read()
    for (let time = 0; time < 20; time++) expect(await read()).toBe(first)
    expect(inMemory()).toBeGreaterThan(10)
    await client.del(cache.keyText(key))
    await until(async () => (await read()) > first, 'the removal')
    const second = await read()
    await client.flushall()
    await until(async () => (await read()) > second, 'the flush')
    await until(() => cache.coherent, 'the link')
    await fixture.redis.kill()
    await fixture.redis.restart()
    await until(() => cache.coherent, 'the link')
    await read()
    const before = await read()
    const again = await fixture.client()
    await again.del(cache.keyText(key))
    await until(async () => (await read()) > before, 'the removal after a restart')
  })
})
