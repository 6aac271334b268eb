import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { copyValue, deepFreeze } from '../src/values/immutable.ts'
import { inspectValue } from '../src/values/inspect-value.ts'
import { valueCodec } from '../src/values/value-codec.ts'

class Interval {
  readonly hours: number
  constructor(hours: number) {
    this.hours = hours
  }
  toPostgres(): string {
    return `${this.hours} hours`
  }
}

const types = [{ name: 'interval', class: Interval }]

function sparse(): unknown[] {
  const list = new Array<unknown>(4)
  list[1] = 1
  list[3] = 2
  return list
}

function roundTrip(value: unknown): unknown {
  const codec = valueCodec(types)
  const { keeping, exotic } = inspectValue(value, types)
  expect(keeping).not.toBe('refused')
  return codec.decode(codec.encode(value, exotic), exotic)
}

describe('values come back as they were', () => {
  const samples: Record<string, unknown> = {
    'bigint beyond 64 bits': 10n ** 40n,
    'negative bigint': -(2n ** 63n),
    date: new Date('0001-01-01T00:00:00Z'),
    'far date': new Date(8.64e15),
    'invalid date': new Date(Number.NaN),
    buffer: Buffer.from([0, 255, 1]),
    'numeric string': '12.50',
    'ISO string': '2026-01-01T00:00:00.000Z',
    map: new Map<unknown, unknown>([
      [1, { a: 1 }],
      ['1', new Date(3)],
    ]),
    set: new Set([1, '1', 1n]),
    NaN: Number.NaN,
    infinity: Number.NEGATIVE_INFINITY,
    'minus zero': -0,
    undefined: undefined,
    null: null,
    'empty string': '',
    false: false,
    'undefined property': { a: undefined, b: [undefined] },
    'lone surrogate': 'a\ud800b',
    'sparse array': sparse(),
    class: { lasts: new Interval(3), list: [new Interval(1)] },
    'what looks like our mark': ['$shardwright:instance', 'interval', { hours: 1 }],
    emoji: '👩‍🚀 ж',
  }
  for (const [name, value] of Object.entries(samples)) {
    test(name, () => {
      expect(roundTrip(value)).toStrictEqual(value)
      expect(copyValue(value, types)).toStrictEqual(value)
    })
  }

  test('anything that a row can hold', () => {
    const value = fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, maxDepth: 4 })
    fc.assert(
      fc.property(value, (sample) => {
        if (inspectValue(sample, types).keeping === 'refused') return
        expect(roundTrip(sample)).toStrictEqual(sample)
        expect(copyValue(sample, types)).toStrictEqual(sample)
      }),
      { numRuns: 2_000 },
    )
  })
})

test('what would come back as something else is refused', () => {
  class Money {}
  for (const value of [
    new Money(),
    { a: [() => 1] },
    Symbol('x'),
    Object.create(null),
    new Error('x'),
    /x/,
    JSON.parse('{"__proto__":1}'),
  ]) {
    expect(inspectValue(value, types).keeping).toBe('refused')
  }
  const cycle: unknown[] = []
  cycle.push(cycle)
  expect(inspectValue(cycle, []).keeping).toBe('refused')
})

test('plain values are frozen, others copied', () => {
  expect(inspectValue({ a: [1, { b: 'x' }] }, []).keeping).toBe('shared')
  expect(inspectValue({ a: [new Date()] }, []).keeping).toBe('copied')
  const frozen = deepFreeze({ a: [{ b: 1 }] })
  expect(() => {
    frozen.a[0]!.b = 2
  }).toThrow(TypeError)
  const original = { at: new Date(1), bytes: Buffer.from([1]) }
  const copy = copyValue(original, [])
  copy.at.setTime(9)
  copy.bytes[0] = 9
  expect(original).toStrictEqual({ at: new Date(1), bytes: Buffer.from([1]) })
})
