import {
  bucketOf,
  defineTopology,
  IdGenerator,
  idLayout,
  ManualClock,
  readId,
  shardsOfId,
  UuidV7Generator,
  uuidV7,
  uuidV7TimeMs,
  type WorkerLease,
} from '@shardwright/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seed } from '../support/property.ts'

const start = Date.UTC(2026, 5, 1)

function fixedLease(parts: Partial<WorkerLease> = {}): WorkerLease {
  const lease = { worker: 3, firstMs: 0, untilMs: Number.MAX_SAFE_INTEGER, lost: false, used() {}, async release() {} }
  return { ...lease, async [Symbol.asyncDispose]() {}, ...parts }
}

describe('IdGenerator', () => {
  const layout = idLayout({ buckets: 1024 })

  it('gives positive 63-bit ids that say their parts', () => {
    const ids = new IdGenerator({ layout, lease: fixedLease(), clock: new ManualClock(start) })
    const id = ids.next(1023)
    expect(id).toBeGreaterThan(0n)
    expect(id).toBeLessThan(2n ** 63n)
    expect(readId(layout, id)).toEqual({ timeMs: start, bucket: 1023, worker: 3, sequence: 0 })
    expect(readId(layout, String(ids.next(1023)))).toEqual({ timeMs: start, bucket: 1023, worker: 3, sequence: 1 })
  })

  it('runs ahead when a bucket is full in its millisecond, and stops at maxAheadMs', () => {
    const ids = new IdGenerator({ layout, lease: fixedLease(), clock: new ManualClock(start), maxAheadMs: 10 })
    const made = Array.from({ length: 32 * 11 }, () => ids.next(5))
    expect(new Set(made).size).toBe(made.length)
    expect(readId(layout, made.at(-1)!).timeMs).toBe(start + 10)
    expect(() => ids.next(5)).toThrow(expect.objectContaining({ code: 'TOO_MANY_IDS' }))
    // Another bucket is not concerned.
    expect(readId(layout, ids.next(6)).timeMs).toBe(start)
  })

  it('stays unique and growing while the clock jumps (property)', () => {
    const jumps = fc.array(fc.tuple(fc.integer({ min: -4000, max: 4000 }), fc.integer({ min: 0, max: 3 })), {
      maxLength: 300,
    })
    fc.assert(
      fc.property(jumps, (steps) => {
        const clock = new ManualClock(start)
        const ids = new IdGenerator({ layout: idLayout({ buckets: 4 }), lease: fixedLease(), clock, maxAheadMs: 1e9 })
        const made: bigint[] = []
        const last = [0n, 0n, 0n, 0n]
        for (const [jump, bucket] of steps) {
          clock.set(clock.now() + jump)
          const id = ids.next(bucket)
          expect(id > last[bucket]!).toBe(true)
          last[bucket] = id
          made.push(id)
        }
        expect(new Set(made).size).toBe(made.length)
      }),
      { seed, numRuns: 200 },
    )
  })

  it('refuses when the clock goes back too far, and goes on when it has caught up', () => {
    const clock = new ManualClock(start)
    const ids = new IdGenerator({ layout, lease: fixedLease(), clock })
    const before = ids.next(0)
    clock.set(start - 4000)
    expect(ids.next(0) > before).toBe(true)
    clock.set(start - 6000)
    expect(() => ids.next(0)).toThrow(expect.objectContaining({ code: 'CLOCK_WENT_BACK' }))
    clock.set(start)
    expect(ids.next(0) > before).toBe(true)
  })

  it('makes no id outside its lease', () => {
    const clock = new ManualClock(start)
    const ids = new IdGenerator({ layout, lease: fixedLease({ firstMs: start + 7, untilMs: start + 9 }), clock })
    expect(readId(layout, ids.next(0)).timeMs).toBe(start + 7)
    clock.set(start + 10)
    expect(() => ids.next(0)).toThrow(expect.objectContaining({ code: 'WORKER_LEASE_LOST' }))
    const lost = new IdGenerator({ layout, lease: fixedLease({ lost: true }), clock })
    expect(() => lost.next(0)).toThrow(expect.objectContaining({ code: 'WORKER_LEASE_LOST' }))
  })

  it('refuses buckets, ids, layouts and times that do not exist', () => {
    const ids = new IdGenerator({ layout, lease: fixedLease(), clock: new ManualClock(start) })
    for (const bucket of [-1, 1024, 0.5, Number.NaN])
      expect(() => ids.next(bucket)).toThrow(expect.objectContaining({ code: 'INVALID_ID' }))
    for (const id of ['', 'x', '-1', '1.0', ' 1', '9223372036854775808', 2n ** 63n, -1n, 5])
      expect(() => readId(layout, id as string)).toThrow(expect.objectContaining({ code: 'INVALID_ID' }))
    for (const options of [
      { buckets: 1000 },
      { buckets: 0 },
      { buckets: 1024, workerBits: 12 },
      { buckets: 65536, workerBits: 7 },
    ])
      expect(() => idLayout(options)).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }))
    const early = new IdGenerator({ layout, lease: fixedLease(), clock: new ManualClock(0) })
    expect(() => early.next(0)).toThrow(expect.objectContaining({ code: 'TIME_OUT_OF_RANGE' }))
  })

  it.each([1, 2, 16, 1024, 65536])('lays out %d buckets', (buckets) => {
    const layout = idLayout({ buckets })
    const ids = new IdGenerator({
      layout,
      lease: fixedLease({ worker: 2 ** layout.workerBits - 1 }),
      clock: new ManualClock(start),
    })
    for (const bucket of [0, buckets - 1])
      expect(readId(layout, ids.next(bucket))).toMatchObject({
        bucket,
        worker: 2 ** layout.workerBits - 1,
        timeMs: start,
      })
  })
})

describe('shardsOfId', () => {
  const shards = ['a', 'b', 'c'].map((id) => ({ id, primary: `postgres://${id}/d` }))
  const layout = idLayout({ buckets: 16 })
  const ids = new IdGenerator({ layout, lease: fixedLease(), clock: new ManualClock(start) })
  const owner = { family: 'festival_id', type: 'text' } as const

  it('finds the shard by the id alone, also of a key that is pinned or was pinned later', () => {
    const plain = defineTopology({ hash: 'postgres', buckets: 16, shards })
    const pinned = defineTopology({
      hash: 'postgres',
      buckets: 16,
      shards,
      pins: [{ family: 'festival_id', key: 'us-1', shard: 'c' }],
    })
    const bucket = bucketOf('postgres', 'text', 'us-1', 16)
    const id = ids.next(bucket)
    expect(shardsOfId(plain, layout, owner, id)).toEqual([plain.bucketMap[bucket]])
    expect(new Set(shardsOfId(pinned, layout, owner, id))).toEqual(new Set([plain.bucketMap[bucket], 2]))
    const other = ids.next((bucket + 1) % 16)
    expect(shardsOfId(pinned, layout, owner, String(other))).toHaveLength(1)
  })
})

describe('uuid v7', () => {
  it('is a uuid of version 7 with its time', () => {
    const clock = new ManualClock(start)
    const uuid = new UuidV7Generator(clock).next()
    expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(uuidV7TimeMs(uuid)).toBe(start)
    expect(Math.abs(uuidV7TimeMs(uuidV7()) - Date.now())).toBeLessThan(60_000)
    expect(() => uuidV7TimeMs('018f3c5e-7b1a-4c3d-9e2f-0123456789ab')).toThrow(
      expect.objectContaining({ code: 'INVALID_ID' }),
    )
  })

  it('only grows: in one millisecond, and when the clock goes back', () => {
    const clock = new ManualClock(start)
    const generator = new UuidV7Generator(clock)
    let last = ''
    let grew = true
    for (let i = 0; i < 200_000; i++) {
      if (i % 1000 === 0) clock.set(start + ((i * 37) % 5000))
      const uuid = generator.next()
      grew &&= uuid > last
      last = uuid
    }
    expect(grew).toBe(true)
  })

  it('differs between generators of one moment', () => {
    const clock = new ManualClock(start)
    const made = Array.from({ length: 1000 }, () => new UuidV7Generator(clock).next())
    expect(new Set(made).size).toBe(1000)
  })
})
