import {
  assertTopologyFits,
  bucketsOfShard,
  defineSchema,
  defineTopology,
  diffTopology,
  locate,
  reference,
  type ShardKey,
  sharded,
  single,
} from '@shardwright/core'
import { describe, expect, it } from 'vitest'
import { caught } from '../support/caught.ts'
import { a, b, base } from './base-topology.ts'

describe('locate', () => {
  const pins = [
    { family: 'user_id', key: '42', shard: 'b' },
    { family: 'user_id', key: '0043', shard: 'a' },
    { family: 'festival_id', key: '42', shard: 'a' },
  ]
  const topology = defineTopology({ ...base, buckets: 1024, pins })

  it('finds a pinned key however it is written, and only in its family', () => {
    for (const value of [42, 42n, '42', ' 042']) {
      expect(locate(topology, { family: 'user_id', type: 'int8', value })).toMatchObject({ shard: 1, pinned: true })
    }
    expect(locate(topology, { family: 'user_id', type: 'int8', value: 43 })).toMatchObject({ shard: 0, pinned: true })
    expect(locate(topology, { family: 'festival_id', type: 'text', value: '42' })).toMatchObject({
      shard: 0,
      pinned: true,
    })
    expect(locate(topology, { family: 'festival_id', type: 'text', value: '042' }).pinned).toBe(false)
    expect(locate(topology, { family: 'other', type: 'int8', value: 42 }).pinned).toBe(false)
  })

  it('goes by the bucket map otherwise', () => {
    for (let value = 0; value < 200; value++) {
      const { shard, bucket, pinned } = locate(topology, { family: 'other', type: 'int4', value })
      expect(pinned).toBe(false)
      expect(bucketsOfShard(topology, topology.shards[shard]!.id)).toContain(bucket)
    }
  })

  it('says which pin is no key of its type, and which two are the same key', () => {
    const wrong = defineTopology({ ...base, pins: [{ family: 'f', key: 'x', shard: 'a' }] })
    expect(caught(() => locate(wrong, { family: 'f', type: 'int8', value: 1 }))).toMatchObject({
      code: 'INVALID_TOPOLOGY',
    })
    const twice = defineTopology({
      ...base,
      pins: [
        { family: 'f', key: '7', shard: 'a' },
        { family: 'f', key: '07', shard: 'b' },
      ],
    })
    expect(caught(() => locate(twice, { family: 'f', type: 'int8', value: 1 }))).toMatchObject({
      code: 'DUPLICATE_PIN',
    })
  })
})

describe('diffTopology', () => {
  it('names what changes', () => {
    const before = defineTopology({
      ...base,
      pins: [
        { family: 'f', key: 'x', shard: 'a' },
        { family: 'f', key: 'y', shard: 'a' },
      ],
    })
    const after = defineTopology({
      ...base,
      epoch: 2,
      shards: [a, { ...b, replicas: ['postgres://db3/festival'] }, { id: 'c', primary: 'postgres://db4/festival' }],
      bucketMap: ['a', 'c', 'a', 'c', 'b', 'b', 'b', 'a'],
      pins: [
        { family: 'f', key: 'x', shard: 'b' },
        { family: 'f', key: 'z', shard: 'c' },
      ],
    })
    expect(diffTopology(before, after)).toEqual({
      epochs: [1, 2],
      addedShards: ['c'],
      removedShards: [],
      changedShards: ['b'],
      moves: [
        { from: 'a', to: 'c', buckets: [1, 3] },
        { from: 'b', to: 'a', buckets: [7] },
      ],
      pins: [
        { family: 'f', key: 'x', from: 'a', to: 'b' },
        { family: 'f', key: 'z', from: undefined, to: 'c' },
        { family: 'f', key: 'y', from: 'a', to: undefined },
      ],
      same: false,
    })
    expect(diffTopology(before, before).same).toBe(true)
    const rotated = { ...a, primary: a.primary.replace('s3cret', 'n3w') }
    expect(diffTopology(defineTopology(base), defineTopology({ ...base, shards: [rotated, b] })).changedShards).toEqual(
      ['a'],
    )
  })

  it('refuses what can never follow one another', () => {
    expect(caught(() => diffTopology(defineTopology(base), defineTopology({ ...base, buckets: 16 })))).toMatchObject({
      code: 'INCOMPATIBLE_TOPOLOGY',
    })
  })
})

describe('assertTopologyFits', () => {
  interface Database {
    wallets: { festival_id: ShardKey<string> }
    settings: { name: string }
    festivals: { id: string }
  }
  const schema = (shard: string) =>
    defineSchema<Database>()({
      tables: { wallets: sharded('festival_id'), settings: single(shard), festivals: reference() },
    })

  it('accepts what fits and names what does not', () => {
    assertTopologyFits(schema('b'), defineTopology(base))
    expect(caught(() => assertTopologyFits(schema('c'), defineTopology(base)))).toMatchObject({
      code: 'UNKNOWN_SHARD_IN_SCHEMA',
    })
    const pinned = defineTopology({ ...base, pins: [{ family: 'user_id', key: '1', shard: 'a' }] })
    expect(caught(() => assertTopologyFits(schema('b'), pinned))).toMatchObject({ code: 'UNKNOWN_PIN_FAMILY' })
  })
})
