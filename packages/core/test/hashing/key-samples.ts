import type { KeyType } from '@shardwright/core'
import fc from 'fast-check'

const int = (bits: number) =>
  fc.bigInt({ min: -(2n ** BigInt(bits - 1)), max: 2n ** BigInt(bits - 1) - 1n }).map(String)
const text = fc
  .oneof(
    fc.string({ maxLength: 40 }),
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.string({ unit: 'grapheme', maxLength: 200 }),
    fc.string({ unit: fc.constantFrom('a', 'é', '€', '😀'), maxLength: 60 }),
  )
  .filter((value) => !value.includes('\0') && value.isWellFormed())

const digits = (n: number, width = 2) => String(n).padStart(width, '0')
const civil = (maxYear: number) =>
  fc
    .tuple(
      fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 1900, max: 2100 }) }, fc.integer({ min: 1, max: maxYear })),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 28 }),
      fc.integer({ min: 0, max: 9 }),
    )
    // PostgreSQL begins on 4713-11-24 BC.
    .map(([year, month, day, era]) => ({
      text: `${digits(year, 4)}-${digits(month)}-${digits(day)}`,
      bc: era === 0 && year < 4713 ? ' BC' : '',
    }))
const fraction = fc.oneof(
  fc.constant(''),
  fc.integer({ min: 0, max: 999_999 }).map((n) => `.${digits(n, 6)}`),
  fc.stringMatching(/^\.\d{1,9}$/),
)
const time = fc
  .tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }), fc.integer({ min: 0, max: 59 }), fraction)
  .map(([h, m, s, f]) => `${digits(h)}:${digits(m)}:${digits(s)}${f}`)
const offset = fc.constantFrom('Z', '+00', '-08', '+05:30', '+0545', '-03:30', '+14', '-12:00:30')
const timestamp = fc.tuple(civil(290_000), time).map(([{ text, bc }, clock]) => `${text} ${clock}${bc}`)
const timestamptz = fc
  .tuple(civil(290_000), time, offset)
  .map(([{ text, bc }, clock, zone]) => `${text}T${clock}${zone}${bc}`)

/** Texts of every key type that PostgreSQL accepts. */
export const keySamples: Readonly<Record<KeyType, fc.Arbitrary<string>>> = {
  int2: int(16),
  int4: int(32),
  int8: fc.oneof(int(64), int(33), int(54)),
  text,
  varchar: text,
  uuid: fc.uuid(),
  date: fc.oneof(
    civil(5_000_000).map(({ text, bc }) => `${text}${bc}`),
    fc.constantFrom('infinity', '-infinity', '5874897-12-31', '4713-11-24 BC', '2000-02-29', '0001-12-31 BC'),
  ),
  timestamp: fc.oneof(
    timestamp,
    fc.constantFrom(
      'infinity',
      '-infinity',
      '4713-11-24 00:00:00 BC',
      '294276-12-31 23:59:59.999999',
      '1999-12-31 24:00:00',
      '2000-01-01',
    ),
  ),
  timestamptz: fc.oneof(timestamptz, fc.constantFrom('infinity', '-infinity', '294276-12-31 23:59:59.999999+00')),
}
