import { bucketOf, citusHash, murmur3, partitionHash } from '@shardwright/core'
import { describe, expect, it } from 'vitest'

const combine = 0x49a0f4dd15e5a8e3n

// value, hashint8 / hashtext, extended under the partition seed, row hash mod 16: seen on PostgreSQL 15.20 and 18.6.
const integers = [
  ['0', -272711505, 0xc2e34bda39f0f0cdn, 0],
  ['1', -1905060026, 0x52d621058124e6d5n, 8],
  ['-1', 385747274, 0xba5fc748095606c2n, 5],
  ['42', 1509752520, 0x663218bcfb84b17fn, 2],
  ['2147483648', -1524351049, 0x44893a0f1e949193n, 6],
  ['9223372036854775807', -1524351049, 0x44893a0f1e949193n, 6],
  ['-9223372036854775808', -96758253, 0xac09237e4899f89cn, 15],
] as const
const texts = [
  ['', -1477818771, 0xb0e33d0b543fbfc3n, 6],
  ['a', 1075015857, 0xa2f240f8823ba67bn, 14],
  ['hello', -1870292951, 0xdb6d9b35c2a082b1n, 4],
  ['festival-2026', 1021127695, 0x7df2f202ee913969n, 12],
] as const

describe('PostgreSQL hash vectors', () => {
  it.each(integers)('int8 %s', (value, plain, extended, mod16) => {
    for (const key of [value, BigInt(value)]) {
      expect(citusHash('int8', key)).toBe(plain)
      expect(partitionHash('int8', key)).toBe(BigInt.asUintN(64, extended + combine))
      expect(bucketOf('postgres', 'int8', key, 16)).toBe(mod16)
    }
  })

  it.each(texts)('text %j', (value, plain, extended, mod16) => {
    expect(citusHash('text', value)).toBe(plain)
    expect(partitionHash('varchar', value)).toBe(BigInt.asUintN(64, extended + combine))
    expect(bucketOf('postgres', 'text', value, 16)).toBe(mod16)
  })

  it('uuid', () => {
    expect(citusHash('uuid', '00000000-0000-0000-0000-000000000001')).toBe(-1046387463)
    expect(bucketOf('postgres', 'uuid', '00000000000000000000000000000001', 16)).toBe(13)
  })

  it('equal integers of the three types hash alike, given as number, bigint or text', () => {
    for (const n of [0, 1, -1, 12345, -32768, 32767]) {
      const hashes = [n, BigInt(n), String(n)].flatMap((key) =>
        (['int2', 'int4', 'int8'] as const).map((type) => partitionHash(type, key)),
      )
      expect(new Set(hashes).size).toBe(1)
    }
  })

  it('a Date hashes as the text of its moment', () => {
    const date = new Date('2026-07-01T12:34:56.789Z')
    expect(partitionHash('timestamptz', date)).toBe(partitionHash('timestamptz', '2026-07-01 14:34:56.789+02'))
  })
})

describe('murmur3 x86 32, seed 0, over UTF-8', () => {
  // Published vectors.
  it.each([
    ['', 0],
    ['hello', 0x248bfa47],
    ['hello, world', 0x149bbb7f],
    ['The quick brown fox jumps over the lazy dog', 0x2e4ff723],
    ['abc', 0xb3dd93fa],
  ])('%j', (text, hash) => {
    expect(murmur3('text', text)).toBe(hash)
    expect(reference(new TextEncoder().encode(text))).toBe(hash)
  })

  it.each(['é', 'España', '日本語', '😀', 'a😀b', '\u0100', 'ÿ', `${'x'.repeat(33)}€`])('non-ASCII %j', (text) => {
    expect(murmur3('text', text)).toBe(reference(new TextEncoder().encode(text)))
  })

  it('integers by their decimal text, uuids in lower case', () => {
    expect(murmur3('int8', ' 042 ')).toBe(reference(new TextEncoder().encode('42')))
    const uuid = '018f3c5e-7b1a-7c3d-9e2f-0123456789ab'
    expect(murmur3('uuid', uuid.toUpperCase())).toBe(reference(new TextEncoder().encode(uuid)))
  })
})

/** Appleby's algorithm, written from its description and independent of the library. */
function reference(bytes: Uint8Array): number {
  const scramble = (k: number) => Math.imul(rotate(Math.imul(k, 0xcc9e2d51), 15), 0x1b873593)
  const rotate = (x: number, r: number) => (x << r) | (x >>> (32 - r))
  let h = 0
  const blocks = bytes.length - (bytes.length % 4)
  for (let i = 0; i < blocks; i += 4) {
    const k = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)
    h = (Math.imul(rotate(h ^ scramble(k), 13), 5) + 0xe6546b64) | 0
  }
  let tail = 0
  for (let i = bytes.length - 1; i >= blocks; i--) tail = (tail << 8) | bytes[i]!
  h ^= scramble(tail) ^ bytes.length
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
