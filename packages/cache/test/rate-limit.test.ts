import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createRateLimiter } from '@shardwright/cache/rate-limit'
import type { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RedisFixture, redisHere, startRedisFixture } from './redis.ts'

const slow = { tokens: 1, everyMs: 3_600_000 }

describe.skipIf(!redisHere.available)('a rate limit on Redis', () => {
  let fixture: RedisFixture
  let client: Redis

  beforeAll(async () => {
    fixture = await startRedisFixture()
    client = await fixture.client()
  }, 120_000)
  afterAll(async () => {
    await fixture?.[Symbol.asyncDispose]()
  })

  it('gives the burst, then refuses and says when to come back', async () => {
    const limiter = createRateLimiter({ client, name: 'burst', capacity: 3, refill: slow, budgetMs: 5_000 })
    const outcomes = []
    for (let i = 0; i < 4; i++) outcomes.push(await limiter.take('a'))
    expect(outcomes.map(({ allowed, remaining }) => [allowed, remaining])).toEqual([
      [true, 2],
      [true, 1],
      [true, 0],
      [false, 0],
    ])
    expect(outcomes[3]?.retryAfterMs).toBeGreaterThan(3_590_000)
    expect(outcomes[3]?.retryAfterMs).toBeLessThanOrEqual(3_600_000)
    expect((await limiter.take('b')).allowed).toBe(true)
    const look = await limiter.peek('a')
    expect(look).toMatchObject({ allowed: false, remaining: 0 })
    expect(look.retryAfterMs).toBeGreaterThan(3_590_000)
    await limiter.reset('a')
    expect(await limiter.peek('a')).toMatchObject({ allowed: true, remaining: 3 })
    expect(await limiter.peek('a')).toMatchObject({ remaining: 3 })
  })

  it('keeps limits and keys apart, whatever stands in their names', async () => {
    const options = { client, capacity: 1, refill: slow, budgetMs: 5_000 } as const
    const [api, login] = [
      createRateLimiter({ ...options, name: 'api' }),
      createRateLimiter({ ...options, name: 'api:login' }),
    ]
    expect((await login.take('ann')).allowed).toBe(true)
    expect((await api.take('login:ann')).allowed).toBe(true)
    const long = 'x'.repeat(300)
    expect((await api.take(long)).allowed).toBe(true)
    const digest = (await client.keys('rate:api:sha256:*'))[0]?.slice('rate:api:'.length) ?? ''
    expect((await api.take(digest)).allowed).toBe(true)
  })

  it('takes all or none, and refuses what can never be', async () => {
    const limiter = createRateLimiter({ client, name: 'whole', capacity: 5, refill: slow, budgetMs: 5_000 })
    expect(await limiter.take('a', 4)).toMatchObject({ allowed: true, remaining: 1 })
    expect(await limiter.take('a', 2)).toMatchObject({ allowed: false, remaining: 1 })
    expect(await limiter.take('a', 1)).toMatchObject({ allowed: true, remaining: 0 })
    for (const tokens of [6, 0, -1, Number.NaN]) {
      await expect(limiter.take('a', tokens)).rejects.toMatchObject({ code: 'RATE_LIMIT_TOKENS' })
    }
  })

  it('refills evenly: whoever waits as told is let in', async () => {
    const limiter = createRateLimiter({
      client,
      name: 'refill',
      capacity: 2,
      refill: { tokens: 3, everyMs: 100 },
      budgetMs: 5_000,
    })
    await limiter.take('a', 2)
    for (let round = 0; round < 5; round++) {
      const { allowed, retryAfterMs } = await limiter.take('a', 2)
      if (allowed) continue
      await new Promise((resolve) => setTimeout(resolve, retryAfterMs + 2))
      expect((await limiter.take('a', 2)).allowed).toBe(true)
    }
  })

  it('lets go of buckets that are full again, and keeps long keys short', async () => {
    const limiter = createRateLimiter({
      client,
      name: 'expiry',
      capacity: 2,
      refill: { tokens: 2, everyMs: 60 },
      budgetMs: 5_000,
    })
    await limiter.take('x'.repeat(100_000))
    const [key] = await client.keys('rate:expiry:*')
    expect(key?.length).toBeLessThan(100)
    await new Promise((resolve) => setTimeout(resolve, 150))
    expect(await client.keys('rate:expiry:*')).toEqual([])
  })

  it('a clock of Redis that went back refills from then on', async () => {
    const limiter = createRateLimiter({
      client,
      name: 'clock',
      capacity: 1,
      refill: { tokens: 1, everyMs: 50 },
      budgetMs: 5_000,
    })
    await client.hset('rate:clock:a', { tokens: '0', at: String(Date.now() + 3_600_000) })
    expect((await limiter.take('a')).allowed).toBe(false)
    await new Promise((resolve) => setTimeout(resolve, 60))
    expect((await limiter.take('a')).allowed).toBe(true)
  })

  it('is one limit for several processes', async () => {
    const worker = join(import.meta.dirname, 'rate-limit-worker.ts')
    const start = Date.now()
    const run = () =>
      promisify(execFile)(process.execPath, [
        '--conditions=shardwright-source',
        worker,
        fixture.redis.url,
        'processes',
        '600',
      ])
    const counts = (await Promise.all([run(), run(), run()])).map(({ stdout }) => Number(stdout))
    const total = counts.reduce((sum, count) => sum + count, 0)
    // The burst, and what came back while the processes lived.
    expect(total).toBeGreaterThanOrEqual(25)
    expect(total).toBeLessThanOrEqual(20 + (Date.now() - start) / 100 + 1)
  })

  it('a Redis that does not answer decides as told', async () => {
    const dead = await fixture.client()
    dead.disconnect()
    const options = { client: dead, capacity: 1, refill: slow } as const
    expect(await createRateLimiter({ ...options, name: 'open' }).take('a')).toEqual({
      allowed: true,
      remaining: undefined,
      retryAfterMs: 0,
      decidedBy: 'unavailable',
    })
    const closed = createRateLimiter({ ...options, name: 'closed', whenUnavailable: 'refuse' })
    expect(await closed.take('a')).toMatchObject({ allowed: false, decidedBy: 'unavailable', retryAfterMs: 1_000 })
    await expect(closed.reset('a')).rejects.toMatchObject({ code: 'RATE_LIMIT_UNAVAILABLE' })
  })

  it('refuses options that make no limit', () => {
    const make = (wrong: object) => () =>
      createRateLimiter({ client, name: 'wrong', capacity: 1, refill: slow, ...wrong } as never)
    for (const wrong of [{ capacity: 0 }, { refill: { tokens: 0, everyMs: 1 } }, { client: {} }, { burst: 3 }]) {
      expect(make(wrong)).toThrow(expect.objectContaining({ code: 'CACHE_OPTIONS' }))
    }
  })
})
