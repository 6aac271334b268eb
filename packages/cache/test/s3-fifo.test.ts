import fc from 'fast-check'
import { expect, test } from 'vitest'
import { S3Fifo } from '../src/index.ts'

test('never more entries or weight than allowed, and what it gives is what was set last', () => {
  const step = fc.record({
    key: fc.integer({ min: 0, max: 40 }),
    weight: fc.integer({ min: 0, max: 60 }),
    kind: fc.constantFrom('set', 'get', 'delete'),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const evicted = new Set<string>()
      const cache = new S3Fifo<number>({ maxEntries: 10, maxWeight: 100, onEvict: (key) => evicted.add(key) })
      const latest = new Map<string, number>()
      for (const [index, { key: number, weight, kind }] of steps.entries()) {
        const key = `k${number}`
        if (kind === 'set') {
          latest.set(key, index)
          cache.set(key, index, weight)
        } else if (kind === 'delete') {
          cache.delete(key)
          latest.delete(key)
        } else {
          const found = cache.get(key)
          if (found !== undefined) expect(found).toBe(latest.get(key))
        }
        expect(cache.size).toBeLessThanOrEqual(10)
        expect(cache.weight).toBeLessThanOrEqual(100)
      }
    }),
  )
})

test('an item heavier than the whole is not kept, and what it replaces goes', () => {
  const cache = new S3Fifo<string>({ maxEntries: 10, maxWeight: 100 })
  cache.set('a', 'old', 10)
  cache.set('a', 'new', 101)
  expect(cache.get('a')).toBeUndefined()
  expect(cache.size).toBe(0)
})

test('a scan does not push out what is in use', () => {
  const cache = new S3Fifo<number>({ maxEntries: 100, maxWeight: 1e9 })
  for (let key = 0; key < 50; key++) cache.set(`hot${key}`, key, 1)
  for (let key = 0; key < 50; key++) cache.get(`hot${key}`)
  for (let key = 0; key < 10_000; key++) cache.set(`scan${key}`, key, 1)
  const left = Array.from({ length: 50 }, (_, key) => cache.get(`hot${key}`)).filter((value) => value !== undefined)
  expect(left.length).toBe(50)
})
