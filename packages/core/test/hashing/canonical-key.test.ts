import { canonicalKey, defineTopology, KeyError, type KeyType, type KeyValue, locate } from '@shardwright/core'
import { describe, expect, it } from 'vitest'
import { caught } from '../support/caught.ts'

const refused: [KeyType, unknown][] = [
  ['int8', 2 ** 53],
  ['int8', -(2 ** 53)],
  ['int8', 1.5],
  ['int8', Number.NaN],
  ['int8', Number.POSITIVE_INFINITY],
  ['int8', 2n ** 63n],
  ['int8', -(2n ** 63n) - 1n],
  ['int8', '9223372036854775808'],
  ['int8', ''],
  ['int8', '-'],
  ['int8', '1.0'],
  ['int8', '１２'],
  ['int8', null],
  ['int8', undefined],
  ['int8', true],
  ['int8', {}],
  ['int8', [1]],
  ['int8', new Date()],
  ['int4', 2147483648],
  ['int4', '-2147483649'],
  ['int4', 3000000000n],
  ['int2', 32768],
  ['int2', '-32769'],
  ['text', null],
  ['text', 'a\0b'],
  ['text', '\ud800'],
  ['text', 'x\udc00y'],
  ['text', 2 ** 60],
  ['text', 0.5],
  ['text', new Date()],
  ['text', Buffer.from('a')],
  ['varchar', true],
  ['uuid', 'not-a-uuid'],
  ['uuid', ''],
  ['uuid', 42],
  ['uuid', '018f3c5e-7b1a-7c3d-9e2f-0123456789abc'],
  ['date', new Date()],
  ['date', 20240105],
  ['date', '05/01/2024'],
  ['date', '2023-02-29'],
  ['timestamp', new Date()],
  ['timestamp', 'yesterday'],
  ['timestamptz', '2024-01-05 10:00:00'],
  ['timestamptz', '2024-01-05 10:00:00 Europe/Rome'],
  ['timestamptz', new Date(Number.NaN)],
  ['timestamptz', 0],
]

describe('canonicalKey', () => {
  it.each(refused)('refuses %s %o', (type, value) => {
    const error = caught(() => canonicalKey(type, value as KeyValue))
    expect(error).toBeInstanceOf(KeyError)
    expect(error).toMatchObject({ code: 'INVALID_SHARD_KEY' })
    expect((error as KeyError).hint).toBeTruthy()
  })

  it.each(refused)('locate refuses %s %o as well', (type, value) => {
    for (const hash of ['postgres', 'murmur3'] as const) {
      const topology = defineTopology({ hash, shards: [{ id: 'a', primary: 'postgres://h/d' }] })
      const error = caught(() => locate(topology, { family: 'f', type, value: value as KeyValue }))
      expect(error).toMatchObject({ code: 'INVALID_SHARD_KEY' })
    }
  })

  it.each([
    ['int8', 0, '0'],
    ['int8', -0, '0'],
    ['int8', ' +042 ', '42'],
    ['int8', '-0', '0'],
    ['int8', '0x7fff_ffff_ffff_ffff', '9223372036854775807'],
    ['int8', Number.MAX_SAFE_INTEGER, '9007199254740991'],
    ['int8', '00000000000000000000000000000012', '12'],
    ['int4', -2147483648, '-2147483648'],
    ['text', 42, '42'],
    ['text', 10n ** 30n, '1000000000000000000000000000000'],
    ['text', ' a ', ' a '],
    ['uuid', '{018F3C5E7B1A7C3D9E2F0123456789AB}', '018f3c5e-7b1a-7c3d-9e2f-0123456789ab'],
    ['date', '2024-1-5', '2024-01-05'],
    ['timestamp', '2024-01-05T10:00:00.100', '2024-01-05 10:00:00.1'],
    ['timestamptz', new Date(0), '1970-01-01 00:00:00+00'],
    ['timestamptz', '2024-01-05T00:30:00+05:30', '2024-01-04 19:00:00+00'],
  ] as const)('%s %o is %s', (type, value, text) => {
    expect(canonicalKey(type, value)).toBe(text)
  })

  it('refuses a type that no key may have', () => {
    for (const type of ['numeric', 'float8', 'citext', 'bpchar', 'constructor'])
      expect(caught(() => canonicalKey(type as KeyType, '1'))).toMatchObject({ code: 'KEY_TYPE_UNSUPPORTED' })
  })

  it('never repeats the value in its message', () => {
    const error = caught(() => canonicalKey('int8', 'anna@example.org')) as KeyError
    expect(JSON.stringify([error.message, error.hint, error.details])).not.toContain('anna')
  })
})
