import { ManualClock, noTelemetry } from '@shardwright/core'
import { describe, expect, test } from 'vitest'
import { createCache, memoryTier } from '../src/index.ts'
import { encodeFrame } from '../src/redis/frame.ts'
import { valueCodec } from '../src/values/value-codec.ts'
import { gate } from './caches.ts'

const key = { name: 'item', tenant: 't', id: 1 }

describe('one process', () => {
  test('300 callers of a cold key: one load', async () => {
    const cache = createCache({ namespace: 'n' })
    let loads = 0
    const load = async () => {
      loads += 1
      await new Promise((resolve) => setTimeout(resolve, 20))
      return { n: loads }
    }
    const values = await Promise.all(Array.from({ length: 300 }, () => cache.getOrLoad(key, load)))
    expect(loads).toBe(1)
    expect(new Set(values).size).toBe(1)
    expect(Object.isFrozen(values[0])).toBe(true)
  })

  test('null, 0, empty and false are hits; undefined is absent, for a shorter time', async () => {
    const clock = new ManualClock()
    const cache = createCache({ namespace: 'n', clock, defaults: { jitter: 0, earlyRefresh: 0 } })
    for (const [id, value] of [null, 0, '', false, [], undefined].entries()) {
      let loads = 0
      const read = () =>
        cache.getOrLoad({ ...key, id: `v${id}` }, async () => {
          loads += 1
          return value
        })
      expect(await read()).toStrictEqual(value)
      expect(await read()).toStrictEqual(value)
      expect(loads).toBe(1)
    }
    await clock.advance(6_000)
    let again = 0
    await cache.getOrLoad({ ...key, id: 'v5' }, async () => void again++)
    await cache.getOrLoad({ ...key, id: 'v0' }, async () => void again++)
    expect(again).toBe(1)
  })

  test('tags that no entry can carry are refused before the load', async () => {
    const cache = createCache({ namespace: 'n' })
    const tagsOf = (length: number) => Array.from({ length }, (_, id) => `item:${'x'.repeat(100)}${id}`)
    let loads = 0
    const read = (length: number) =>
      cache.getOrLoad({ ...key, id: length }, async () => ++loads, { tags: tagsOf(length) })
    await expect(read(600)).rejects.toMatchObject({ code: 'CACHE_TAGS', details: { tags: 600 } })
    expect(loads).toBe(0)
    expect(await read(300)).toBe(1)
  })

  test('a frame holds tags of 65,535 bytes, and refuses one more', () => {
    const frameOf = (bytes: number) => {
      // The brackets, quotes and the comma of `[["...","v"]]` are 10 bytes.
      const tags = [{ key: 'x'.repeat(bytes - 10), version: 'v' }]
      const entry = { value: 1, keeping: 'shared', exotic: false, bytes: 8, fillId: 'f'.repeat(12), tags } as const
      const times = { freshUntil: 1, staleUntil: 2, loadMs: 0 }
      return encodeFrame({ ...entry, ...times }, Buffer.alloc(8), { codec: valueCodec([]), compressAboveBytes: 1e9 })
    }
    expect(frameOf(65_535).readUInt16BE(46)).toBe(65_535)
    expect(() => frameOf(65_536)).toThrow(expect.objectContaining({ code: 'CACHE_TAGS' }))
  })

  test('values that can change come as copies', async () => {
    const cache = createCache({ namespace: 'n' })
    const first = await cache.getOrLoad(key, async () => ({ at: new Date(1) }))
    first.at.setTime(99)
    expect(await cache.getOrLoad(key, async () => ({ at: new Date(2) }))).toEqual({ at: new Date(1) })
  })

  test('instances of unknown classes are handed out but not kept', async () => {
    class Money {}
    const cache = createCache({ namespace: 'n' })
    let loads = 0
    const load = async () => {
      loads += 1
      return { price: new Money() }
    }
    expect((await cache.getOrLoad(key, load)).price).toBeInstanceOf(Money)
    await cache.getOrLoad(key, load)
    expect(loads).toBe(2)
    expect(cache.statistics().item?.notKept).toBe(2)
  })

  test('a value past its ttl serves while it is loaded anew, and when the load fails, up to the hard limit', async () => {
    const clock = new ManualClock()
    const cache = createCache({ namespace: 'n', clock })
    const options = { ttlMs: 1_000, jitter: 0, earlyRefresh: 0, staleWhileRevalidateMs: 500, staleIfErrorMs: 2_000 }
    const fail = async (): Promise<string> => {
      throw new Error('down')
    }
    await cache.getOrLoad(key, async () => 'first', options)
    await clock.advance(1_400)
    expect(await cache.getOrLoad(key, fail, options)).toBe('first')
    await clock.advance(1_500)
    expect(await cache.getOrLoad(key, fail, options)).toBe('first')
    await clock.advance(200)
    await expect(cache.getOrLoad(key, fail, options)).rejects.toThrow('down')
  })

  test('a hot key near its end is refreshed early by about one caller, nobody waits', async () => {
    const clock = new ManualClock()
    const cache = createCache({ namespace: 'n', clock, defaults: { jitter: 0, ttlMs: 10_000 } })
    let loads = 0
    const load = async () => {
      loads += 1
      await clock.sleep(200)
      return loads
    }
    const first = cache.getOrLoad(key, load)
    await new Promise((resolve) => setTimeout(resolve, 10))
    await clock.advance(200)
    expect(await first).toBe(1)
    for (let step = 0; step < 3_000 && loads < 2; step++) {
      await clock.advance(5)
      for (let caller = 0; caller < 10; caller++) expect(await cache.getOrLoad(key, load)).toBe(1)
    }
    // With beta 1 and loads of 200 ms, 20,000 draws leave a chance below 1e-20 that none came before the end.
    expect(loads).toBe(2)
    expect(cache.statistics().item).toMatchObject({ misses: 1, earlyRefreshes: 1, staleServed: 0 })
  })

  test('loads of a group are limited, and the queue too', async () => {
    const cache = createCache({ namespace: 'n', loadLimit: { concurrent: 2, queued: 3 } })
    let running = 0
    let most = 0
    const held = gate()
    const load = async () => {
      most = Math.max(most, ++running)
      await held.opened
      running -= 1
      return 1
    }
    const calls = Array.from({ length: 6 }, (_, id) => cache.getOrLoad({ ...key, id }, load, { loadGroup: 'shard-1' }))
    await expect(Promise.race(calls)).rejects.toMatchObject({ code: 'CACHE_LOADS_SATURATED' })
    held.open()
    const settled = await Promise.allSettled(calls)
    expect(settled.filter((one) => one.status === 'fulfilled').length).toBe(5)
    expect(most).toBe(2)
  })

  test('a load that asks for itself is refused; one that asks for another entry is not, even when the group is full', async () => {
    const cache = createCache({ namespace: 'n', loadLimit: { concurrent: 1, queued: 0 } })
    const self = (): Promise<number> => cache.getOrLoad(key, self)
    await expect(self()).rejects.toMatchObject({ code: 'CACHE_LOAD_RECURSION' })
    expect(await cache.getOrLoad(key, () => cache.getOrLoad({ ...key, id: 2 }, async () => 7))).toBe(7)
  })

  test('an error of the load reaches every caller and nothing is kept', async () => {
    const cache = createCache({ namespace: 'n' })
    const fail = async () => {
      throw new Error('boom')
    }
    const results = await Promise.allSettled([cache.getOrLoad(key, fail), cache.getOrLoad(key, fail)])
    expect(results.map((one) => one.status)).toEqual(['rejected', 'rejected'])
    expect(await cache.getOrLoad(key, async () => 'fine')).toBe('fine')
  })

  test('a source older than the last invalidation is not kept', async () => {
    const cache = createCache({ namespace: 'n', tiers: [memoryTier()] })
    const token = (lsn: string) => ({ shard: 's', lsn, incarnation: '1:1', epoch: 1 })
    await cache.getOrLoad(key, ({ doNotKeep }) => {
      doNotKeep()
      return 'x'
    })
    expect(await cache.peek(key)).toBeUndefined()
    await cache.getOrLoad(key, ({ readAt }) => {
      readAt(token('0/1'))
      return 'y'
    })
    expect(await cache.peek(key)).toMatchObject({ value: 'y', tier: 'memory' })
  })

  test('wrap keeps the type; warm, peek, clear', async () => {
    const cache = createCache({ namespace: 'n' })
    let loads = 0
    const twice = async (n: number) => {
      loads += 1
      return n * 2
    }
    const double = cache.wrap(twice, {
      name: 'double',
      tenant: () => null,
      tags: (n) => [`n${n}`],
    })
    const four: number = await double(2)
    expect([four, await double(2), loads]).toEqual([4, 4, 1])
    await cache.invalidateTag('n2')
    expect([await double(2), loads]).toEqual([4, 2])
    await double.invalidate(2)
    expect(await double.peek(2)).toBeUndefined()
    const entries = [1, 2, 3].map((id) => ({ key: { ...key, id }, load: async () => id }))
    expect(await cache.warm(entries)).toEqual({ warmed: 3, failed: 0 })
    expect(await cache.peek({ ...key, id: 3 })).toMatchObject({ value: 3 })
    expect(await cache.clear()).toBe('done')
    expect(await cache.peek({ ...key, id: 3 })).toBeUndefined()
    await cache.close()
    await expect(double(2)).rejects.toMatchObject({ code: 'CACHE_CLOSED' })
  })

  test('telemetry hears of hits by tier and name, misses, loads, evictions and bytes', async () => {
    const heard = new Map<string, number>()
    const hear = (name: string, value: number, attributes = {}) => {
      const label = `${name} ${JSON.stringify(attributes)}`
      heard.set(label, (heard.get(label) ?? 0) + value)
    }
    const telemetry = { ...noTelemetry, count: hear, gauge: hear }
    const cache = createCache({ namespace: 'n', tiers: [memoryTier({ maxEntries: 3 })], telemetry })
    for (let id = 0; id < 5; id++) await cache.getOrLoad({ ...key, id }, async () => 'value')
    await cache.getOrLoad({ ...key, id: 4 }, async () => 'value')
    expect(heard.get('shardwright.cache.hits {"name":"item","tier":"memory"}')).toBe(1)
    expect(heard.get('shardwright.cache.misses {"name":"item"}')).toBe(5)
    expect(heard.get('shardwright.cache.loads {"name":"item"}')).toBe(5)
    expect(heard.get('shardwright.cache.evictions {"tier":"memory"}')).toBe(2)
    expect(heard.get('shardwright.cache.bytes {"tier":"memory"}')).toBeGreaterThan(0)
  })

  test('options are checked, and the message names them', () => {
    expect(() => createCache({ namespace: 'a b' })).toThrow(/namespace/)
    expect(() => createCache({ namespace: 'n', defaults: { ttlMs: -1 } })).toThrow(/ttlMs/)
    expect(() => memoryTier({ maxEntries: 0 })).toThrow(expect.objectContaining({ code: 'CACHE_OPTIONS' }))
  })
})
