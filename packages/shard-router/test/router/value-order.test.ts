import fc from 'fast-check'
import { expect, test } from 'vitest'
import { writeDecimal } from '../../src/merge/decimal.ts'
import { timestampOrdinal } from '../../src/merge/timestamp-order.ts'
import { orderOfType, typeOids } from '../../src/merge/value-order.ts'

const two = (n: number) => String(n).padStart(2, '0')

const date = fc
  .tuple(
    fc.oneof(fc.integer({ min: 2020, max: 2021 }), fc.integer({ min: 1, max: 12_000 })),
    fc.integer({ min: 1, max: 12 }),
    fc.integer({ min: 1, max: 28 }),
  )
  .map(([year, month, day]) => `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`)
const time = fc
  .tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 1 }), fc.integer({ min: 0, max: 120_000 }))
  .map(([hour, second, micros]) => {
    const fraction = String(micros).padStart(6, '0').replace(/0+$/, '')
    return ` ${two(hour)}:00:${two(second)}${fraction === '' ? '' : `.${fraction}`}`
  })
const offset = fc.constantFrom('+00', '+01', '+02', '-01', '-03', '+05:30', '+03:30', '+00:19:32')
const era = fc.constantFrom('', '', '', ' BC')
const infinite = fc.constantFrom('infinity', '-infinity')
const joined = (...parts: fc.Arbitrary<string>[]) =>
  fc.oneof(
    { weight: 20, arbitrary: fc.tuple(...parts).map((texts) => texts.join('')) },
    { weight: 1, arbitrary: infinite },
  )

test.each([
  ['date', typeOids.date, joined(date, era)],
  ['timestamp', typeOids.timestamp, joined(date, time, era)],
  ['timestamptz', typeOids.timestamptz, joined(date, time, offset, era)],
])('%s is ordered as its instants are', (_name, oid, texts) => {
  const compare = orderOfType(oid)!
  fc.assert(
    fc.property(texts, texts, (a, b) => {
      const [x, y] = [timestampOrdinal(a), timestampOrdinal(b)]
      expect(Math.sign(compare(a, b))).toBe(x < y ? -1 : x > y ? 1 : 0)
    }),
    { numRuns: 3_000 },
  )
})

const integer = fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.bigInt({ min: -120n, max: 120n }))
const decimal = fc.tuple(integer, fc.integer({ min: 0, max: 4 })).map(([digits, scale]) => ({
  value: digits * 10n ** BigInt(4 - scale),
  text: writeDecimal({ digits, scale, special: undefined }),
}))

test.each([
  ['bigint', typeOids.int8, integer.map((value) => ({ value, text: String(value) }))],
  ['numeric', typeOids.numeric, decimal],
])('%s is ordered as its numbers are', (_name, oid, numbers) => {
  const compare = orderOfType(oid)!
  fc.assert(
    fc.property(numbers, numbers, (a, b) => {
      expect(Math.sign(compare(a.text, b.text))).toBe(a.value < b.value ? -1 : a.value > b.value ? 1 : 0)
    }),
    { numRuns: 3_000 },
  )
})

test('NaN and the infinities stand at the ends', () => {
  const compare = orderOfType(typeOids.numeric)!
  const ascending = ['-Infinity', '-100', '-9.5', '0', '0.5', '9.50', '10', '100.25', 'Infinity', 'NaN']
  expect(ascending.toReversed().toSorted(compare)).toEqual(ascending)
})
