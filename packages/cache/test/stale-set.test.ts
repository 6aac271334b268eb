import { currentReadContext } from '@shardwright/core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Cache, createCache, memoryTier, redisTier } from '../src/index.ts'
import { freshNamespace, type Gate, gate, nodeOf, patient } from './caches.ts'
import { type RedisFixture, redisHere, startRedisFixture } from './redis.ts'

const key = { name: 'item', tenant: 't', id: 1 }

/** A source whose reading can be held between the read and the answer, as a slow query is. */
function slowSource(): { value: string; read(held?: Promise<void>): Promise<string> } {
  const source = {
    value: 'old',
    read: async (held?: Promise<void>) => {
      const { value } = source
      await held
      return value
    },
  }
  return source
}

/** A load that tells when it has begun, and answers when it may. */
function begin(begun: Gate, source: { read(held: Promise<void>): Promise<string> }, held: Gate) {
  return () => {
    begun.open()
    return source.read(held.opened)
  }
}

/** The load begins, a writer commits and invalidates, the load ends. */
async function race(
  reader: Cache,
  writer: Cache,
  invalidate: () => Promise<unknown>,
  tags: string[] = [],
): Promise<string> {
  await reader.invalidate(key)
  const source = slowSource()
  const held = gate()
  const begun = gate()
  const load = reader.getOrLoad(key, begin(begun, source, held), { tags })
  await begun.opened
  source.value = 'new'
  await invalidate()
  held.open()
  await load
  const again = await writer.getOrLoad(key, () => source.read(), { tags })
  expect(again).toBe('new')
  return await reader.getOrLoad(key, () => source.read(), { tags })
}

describe('memory alone', () => {
  test('the next read after an invalidation during a load gives the new value', async () => {
    const cache = createCache({ namespace: 'memory' })
    expect(await race(cache, cache, () => cache.invalidate(key))).toBe('new')
    expect(cache.statistics().item?.refusedFills).toBe(1)
  })

  test('so does a tag', async () => {
    const cache = createCache({ namespace: 'memory' })
    expect(await race(cache, cache, () => cache.invalidateTag('t1'), ['t1'])).toBe('new')
  })

  test('a caller that comes after the invalidation does not join the load that began before it', async () => {
    const cache = createCache({ namespace: 'memory' })
    const source = slowSource()
    const held = gate()
    const begun = gate()
    const first = cache.getOrLoad(key, begin(begun, source, held))
    await begun.opened
    source.value = 'new'
    await cache.invalidate(key)
    expect(await cache.getOrLoad(key, () => source.read())).toBe('new')
    held.open()
    expect(await first).toBe('old')
    expect(await cache.getOrLoad(key, () => source.read())).toBe('new')
  })

  test('nor one that comes after the invalidation of a tag that the value will carry', async () => {
    const cache = createCache({ namespace: 'memory' })
    const source = slowSource()
    const held = gate()
    const begun = gate()
    const options = { tags: ['t'] }
    const first = cache.getOrLoad(key, begin(begun, source, held), options)
    await begun.opened
    source.value = 'new'
    await cache.invalidateTag('t')
    expect(await cache.getOrLoad(key, () => source.read(), options)).toBe('new')
    held.open()
    expect(await first).toBe('old')
  })

  test('without leases the same race leaves the old value: the tests can see what they look for', async () => {
    const cache = createCache({ namespace: 'memory', unsafeWithoutLeases: true })
    await expect(race(cache, cache, () => cache.invalidate(key))).rejects.toThrow(/old/)
  })
})

describe.skipIf(!redisHere.available)('memory over Redis', () => {
  let fixture: RedisFixture
  const caches: Cache[] = []
  const node = async (namespace: string): Promise<Cache> => {
    const cache = await nodeOf(fixture, namespace)
    caches.push(cache)
    return cache
  }
  beforeAll(async () => {
    fixture = await startRedisFixture()
  })
  afterEach(async () => {
    for (const cache of caches.splice(0)) await cache.close()
  })
  afterAll(async () => {
    await fixture?.[Symbol.asyncDispose]()
  })

  test('the load is here, the writer there', async () => {
    const namespace = freshNamespace()
    const [here, there] = [await node(namespace), await node(namespace)]
    expect(await race(here, there, () => there.invalidate(key))).toBe('new')
    expect(await race(here, here, () => there.invalidateTag(['x', 'y']), ['y'])).toBe('new')
  })

  test('when an invalidation returns, no memory of any process has the old value', async () => {
    const namespace = freshNamespace()
    const nodes = [await node(namespace), await node(namespace), await node(namespace)]
    for (let version = 0; version < 200; version++) {
      for (const one of nodes) await one.getOrLoad(key, async () => version)
      await nodes[version % 3]!.invalidate(key)
      const read = await Promise.all(nodes.map((one) => one.getOrLoad(key, async () => version + 1)))
      expect(read).toEqual([version + 1, version + 1, version + 1])
      await nodes[0]!.invalidate(key)
    }
    expect(nodes[0]!.statistics().item?.hits.redis).toBeGreaterThan(0)
  })

  test('a refresh in the background that meets an invalidation stores nothing', async () => {
    const namespace = freshNamespace()
    const [here, there] = [await node(namespace), await node(namespace)]
    const source = slowSource()
    const options = { ttlMs: 30, jitter: 0, staleWhileRevalidateMs: 60_000 }
    await here.getOrLoad(key, () => source.read(), options)
    await new Promise((resolve) => setTimeout(resolve, 60))
    const held = gate()
    const begun = gate()
    const refreshing = begin(begun, source, held)
    expect(await here.getOrLoad(key, refreshing, options)).toBe('old')
    await begun.opened
    source.value = 'new'
    await there.invalidate(key)
    held.open()
    expect(await here.getOrLoad(key, () => source.read(), options)).toBe('new')
    expect(await there.getOrLoad(key, () => source.read(), options)).toBe('new')
    expect(here.statistics().item?.staleServed).toBe(1)
  })

  test('Redis loses its leases in a flush: a load from before it stores nothing', async () => {
    const namespace = freshNamespace()
    const here = createCache({ namespace, tiers: [redisTier({ client: await fixture.client(), ...patient })] })
    caches.push(await here.ready())
    const source = slowSource()
    const held = gate()
    const begun = gate()
    const load = here.getOrLoad(key, begin(begun, source, held))
    await begun.opened
    source.value = 'new'
    await fixture.redis.flush()
    held.open()
    await load
    expect(await here.getOrLoad(key, () => source.read())).toBe('new')
  })

  test('a node that only keeps memory over Redis shares a load with those who joined before the invalidation only', async () => {
    const namespace = freshNamespace()
    const [here, there] = [await node(namespace), await node(namespace)]
    const source = slowSource()
    const held = gate()
    const begun = gate()
    const joined = [1, 2].map(() => here.getOrLoad(key, begin(begun, source, held)))
    await begun.opened
    source.value = 'new'
    await there.invalidate(key)
    const late = here.getOrLoad(key, () => source.read())
    expect(await late).toBe('new')
    held.open()
    await Promise.all(joined)
    expect(await here.getOrLoad(key, () => source.read())).toBe('new')
  })

  test('what is loaded after an invalidation comes from a source that has seen its commit, or is not kept', async () => {
    const namespace = freshNamespace()
    const [here, there] = [await node(namespace), await node(namespace)]
    const token = (lsn: string) => ({ shard: 's1', lsn, incarnation: '7:1', epoch: 1 })
    await here.invalidate(key, { tokens: [token('0/20')] })
    const lagging = await there.getOrLoad(key, ({ readAt, requires }) => {
      readAt(token('0/1F'))
      return [requires, currentReadContext()?.tokenOf('s1')?.lsn]
    })
    expect(lagging).toEqual([[token('0/20')], '0/20'])
    expect(await there.peek(key)).toBeUndefined()
    await there.getOrLoad(key, ({ readAt }) => {
      readAt(token('0/20'))
      return 'caught up'
    })
    expect(await here.getOrLoad(key, async () => 'again')).toBe('caught up')
    await here.invalidateTag('t', { tokens: [token('0/30')] })
    const required = await there.getOrLoad({ ...key, id: 2 }, ({ requires }) => requires.map(({ lsn }) => lsn), {
      tags: ['t'],
    })
    expect(required).toEqual(['0/30'])
  })

  test('memoryTier and redisTier keep their parts', async () => {
    const namespace = freshNamespace()
    const only = createCache({
      namespace,
      tiers: [memoryTier({ maxEntries: 2 }), redisTier({ client: await fixture.client(), ...patient })],
    })
    caches.push(await only.ready())
    for (const id of [1, 2, 3, 4]) await only.getOrLoad({ ...key, id }, async () => id)
    let loads = 0
    for (const id of [1, 2, 3, 4]) expect(await only.getOrLoad({ ...key, id }, async () => ++loads)).toBe(id)
    expect(loads).toBe(0)
    expect(only.statistics().item?.hits.redis).toBeGreaterThan(1)
  })
})
