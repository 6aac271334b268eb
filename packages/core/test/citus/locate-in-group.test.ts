import { type ColocationGroup, citusHash, locateInGroup } from '@shardwright/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seed } from '../support/property.ts'

const least = -(2 ** 31)
const greatest = 2 ** 31 - 1

/** Ranges without gaps that begin at the given hashes, as splits leave them. */
function groupOf(cuts: readonly number[]): ColocationGroup {
  const starts = [...new Set([least, ...cuts])].sort((a, b) => a - b)
  return {
    colocationId: 1,
    replicationFactor: 1,
    shards: starts.map((min, index) => ({ min, max: (starts[index + 1] ?? greatest + 1) - 1, groupIds: [1] })),
  }
}

describe('the shard of a key in its group', () => {
  it('is the one whose range has the hash', () => {
    const cuts = fc.array(fc.integer({ min: least, max: greatest }), { maxLength: 70 })
    const keys = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
    const isInRange = fc.property(cuts, keys, (others, key) => {
      const group = groupOf([...others, citusHash('int8', key)])
      const { min, max } = group.shards[locateInGroup(group, 'int8', key)]!
      expect(min).toBeLessThanOrEqual(citusHash('int8', key))
      expect(max).toBeGreaterThanOrEqual(citusHash('int8', key))
    })
    fc.assert(isInRange, { seed })
  })

  it('is none without shards, in a gap, or without ranges', () => {
    const hash = citusHash('text', 'a')
    const gap = { ...groupOf([]), shards: [{ min: least, max: hash - 1, groupIds: [1] }] }
    const reference = { ...groupOf([]), shards: [{ min: undefined, max: undefined, groupIds: [0, 1] }] }
    for (const group of [{ ...gap, shards: [] }, gap, reference]) expect(locateInGroup(group, 'text', 'a')).toBe(-1)
  })
})
