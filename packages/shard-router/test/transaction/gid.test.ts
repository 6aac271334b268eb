import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatGid, gidName, gidPrefix, parseGid } from '../../src/transaction/gid.ts'

const txid = '019aa3c1-5b7e-7a12-8c3d-0f1e2d3c4b5a'
const incarnation = '18446744073709551615:ffffffff'

describe('the name of a prepared transaction', () => {
  test('holds any names, is shorter than 200 bytes, safe within quotes, and reads back', () => {
    const name = fc.string({ unit: 'binary', minLength: 1, maxLength: 300 })
    fc.assert(
      fc.property(name, name, name, (topology, decider, participant) => {
        const gid = {
          topology: gidName(topology),
          txid,
          decider: gidName(decider),
          incarnation,
          participant: gidName(participant),
        }
        const text = formatGid(gid)
        expect(text).toMatch(/^[\x21-\x7e]+$/)
        expect(text).not.toMatch(/['"\\]/)
        expect(Buffer.byteLength(text)).toBeLessThan(200)
        expect(parseGid(text)).toEqual(gid)
        expect(text.startsWith(gidPrefix(topology))).toBe(true)
      }),
    )
  })

  test('different names stay different', () => {
    const names = ['a', '%61', 'a:b', 'a@b', "a'b", 'é', 'x'.repeat(80), `${'x'.repeat(79)}y`, '~a', ' ']
    expect(new Set(names.map(gidName)).size).toBe(names.length)
  })

  test('what others prepare is not ours', () => {
    for (const text of ['', 'order-17', 'sw1:a:b', `sw2:t:${txid}:d@1:1:p`, `sw1:t:${txid}:d@x:p`]) {
      expect(parseGid(text)).toBeUndefined()
    }
  })
})
