import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalText } from '../src/index.ts'
import { entryKey, keyPrefix } from '../src/keys/entry-key.ts'
import { groupBySlot, keySlot } from '../src/redis/key-slot.ts'

describe('canonical text', () => {
  test('the order of properties does not matter, types do', () => {
    expect(canonicalText({ b: 1, a: 2 })).toBe(canonicalText({ a: 2, b: 1 }))
    const apart = [
      1,
      '1',
      1n,
      true,
      'true',
      null,
      'null',
      undefined,
      [1],
      ['1'],
      { a: 1 },
      { a: '1' },
      new Date(1),
      Buffer.from('1'),
      new Map([[1, 1]]),
      new Set([1]),
      '#1',
      '[#1]',
      [[1]],
      {},
      [],
      '',
      { a: undefined },
    ]
    expect(new Set(apart.map(canonicalText)).size).toBe(apart.length)
  })

  test('different values have different texts, equal values the same', () => {
    const leaf = fc.constantFrom<unknown>(0, 1, '1', 1n, -0, null, undefined, '', 'null', new Date(1), true)
    const small = fc.oneof(
      leaf,
      fc.array(leaf, { maxLength: 2 }),
      fc.dictionary(fc.constantFrom('a', 'b'), leaf, { noNullPrototype: true }),
    )
    const value = fc.oneof(
      small,
      fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, maxDepth: 3 }),
    )
    fc.assert(
      fc.property(value, value, (a, b) => {
        const same = canonicalText(a) === canonicalText(b)
        const copy = structuredClone(a)
        expect(canonicalText(copy)).toBe(canonicalText(a))
        if (same) expect(isDeepStrictEqual(zeroed(a), zeroed(b))).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  test('what has no text is refused', () => {
    const cycle: unknown[] = []
    cycle.push(cycle)
    class Money {}
    for (const value of [() => 1, Symbol('x'), cycle, new Money()]) {
      expect(() => canonicalText(value)).toThrow(expect.objectContaining({ code: 'CACHE_KEY' }))
    }
  })

  test('tenant and id cannot run into each other', () => {
    const prefix = keyPrefix({ namespace: 'n', name: 'x' })
    const text = fc.string()
    fc.assert(
      fc.property(text, text, text, text, (t1, i1, t2, i2) => {
        const same = entryKey(prefix, t1, i1) === entryKey(prefix, t2, i2)
        expect(same).toBe(t1 === t2 && i1 === i2)
      }),
    )
    expect(entryKey(prefix, 'a'.repeat(500), 1)).not.toBe(entryKey(prefix, 'a'.repeat(500), 2))
    expect(entryKey(prefix, 'a'.repeat(500), 1).length).toBeLessThan(100)
  })
})

test('slots are those of Redis Cluster', () => {
  // Vectors of the cluster specification and of CLUSTER KEYSLOT on 7.0.
  expect(keySlot('123456789')).toBe(12739)
  expect(keySlot('{user1000}.following')).toBe(keySlot('{user1000}.followers'))
  expect(keySlot('foo{}{bar}')).toBe(keySlot('foo{}{bar}'))
  expect(groupBySlot(['a', 'b', '{a}x'], true)).toEqual([['a', '{a}x'], ['b']])
  expect(groupBySlot(['a', 'b'], false)).toEqual([['a', 'b']])
})

/** -0 and 0 have one text, as in SQL. */
function zeroed(value: unknown): unknown {
  if (Object.is(value, -0)) return 0
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  if (Array.isArray(value)) return value.map(zeroed)
  if (value instanceof Map) return new Map(Array.from(value, ([k, v]) => [zeroed(k), zeroed(v)]))
  if (value instanceof Set) return new Set(Array.from(value, zeroed))
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, zeroed(v)]))
}
