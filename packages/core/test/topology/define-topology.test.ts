import {
  assertTopologyFits,
  bucketsOfShard,
  defineSchema,
  defineTopology,
  describeTopology,
  diffTopology,
  locate,
  reference,
  type ShardKey,
  ShardwrightError,
  sharded,
  single,
  type TopologyInput,
  topologyInputOf,
} from '@shardwright/core'
import { describe, expect, it } from 'vitest'

const a = { id: 'a', primary: 'postgres://app:s3cret@db1:5432/festival' }
const b = { id: 'b', primary: 'postgres://app:s3cret@db2:5432/festival' }
const base: TopologyInput = { hash: 'postgres', buckets: 8, shards: [a, b] }

const bad: [string, string, unknown][] = [
  ['no hash', 'INVALID_TOPOLOGY', { shards: [a] }],
  ['an unknown hash', 'INVALID_TOPOLOGY', { ...base, hash: 'md5' }],
  ['an unknown field', 'INVALID_TOPOLOGY', { ...base, bucket: 8 }],
  ['an epoch of 0', 'INVALID_TOPOLOGY', { ...base, epoch: 0 }],
  ['no input', 'INVALID_TOPOLOGY', undefined],
  ['no shard', 'NO_SHARD', { ...base, shards: [] }],
  ['shards that are no list', 'INVALID_TOPOLOGY', { ...base, shards: {} }],
  ['1000 buckets', 'INVALID_BUCKET_COUNT', { ...base, buckets: 1000 }],
  ['0 buckets', 'INVALID_BUCKET_COUNT', { ...base, buckets: 0 }],
  ['131072 buckets', 'INVALID_BUCKET_COUNT', { ...base, buckets: 131072 }],
  ['half a bucket', 'INVALID_BUCKET_COUNT', { ...base, buckets: 0.5 }],
  ['2^32 buckets', 'INVALID_BUCKET_COUNT', { ...base, buckets: 2 ** 32 }],
  ['two shards of one id', 'DUPLICATE_SHARD', { ...base, shards: [a, { ...b, id: 'a' }] }],
  ['two shards on one URL', 'DUPLICATE_SHARD_URL', { ...base, shards: [a, { ...b, primary: a.primary }] }],
  [
    'one database by another user',
    'DUPLICATE_SHARD_URL',
    { ...base, shards: [a, { ...b, primary: 'postgresql://x:y@DB1/festival?sslmode=require' }] },
  ],
  [
    'localhost and 127.0.0.1',
    'DUPLICATE_SHARD_URL',
    {
      ...base,
      shards: [
        { ...a, primary: 'postgres://localhost/x' },
        { ...b, primary: 'postgres://127.0.0.1:5432/x' },
      ],
    },
  ],
  ['a replica that is a primary', 'DUPLICATE_SHARD_URL', { ...base, shards: [a, { ...b, replicas: [a.primary] }] }],
  [
    'one direct URL twice',
    'DUPLICATE_SHARD_URL',
    {
      ...base,
      shards: [
        { id: 'a', primary: { url: 'postgres://pool:6432/a', directUrl: a.primary } },
        { id: 'b', primary: { url: 'postgres://pool:6432/b', directUrl: a.primary } },
      ],
    },
  ],
  [
    'a URL of another scheme',
    'INVALID_SHARD_URL',
    { ...base, shards: [{ id: 'a', primary: 'mysql://app:s3cret@db1/x' }] },
  ],
  ['no URL at all', 'INVALID_SHARD_URL', { ...base, shards: [{ id: 'a', primary: 's3cret' }] }],
  [
    'a URL without database',
    'INVALID_SHARD_URL',
    { ...base, shards: [{ id: 'a', primary: 'postgres://app:s3cret@db1' }] },
  ],
  ['a bad port', 'INVALID_SHARD_URL', { ...base, shards: [{ id: 'a', primary: 'postgres://app:s3cret@db1:99999/x' }] }],
  [
    'a slash in the password',
    'INVALID_SHARD_URL',
    { ...base, shards: [{ id: 'a', primary: 'postgres://app:12/s3cret@db1/x' }] },
  ],
  [
    'a slash in the password, no user',
    'INVALID_SHARD_URL',
    { ...base, shards: [{ id: 'a', primary: 'postgres://s3/cret@db1/x' }] },
  ],
  [
    'a hash sign in the password',
    'INVALID_SHARD_URL',
    { ...base, shards: [{ id: 'a', primary: 'postgres://app:1#s3cret@db1/x' }] },
  ],
  [
    'a question mark in the password',
    'INVALID_SHARD_URL',
    { ...base, shards: [{ id: 'a', primary: 'postgres://app:12/x?s3cret@db1/x' }] },
  ],
  [
    'a broken escape',
    'INVALID_SHARD_URL',
    { ...base, shards: [{ id: 'a', primary: 'postgres://app:s3cret@db1/%zz' }] },
  ],
  [
    'a broken escape in the password',
    'INVALID_SHARD_URL',
    { ...base, shards: [{ id: 'a', primary: 'postgres://app:s3cret%zz@db1/x' }] },
  ],
  ['a short list of buckets', 'BUCKET_WITHOUT_SHARD', { ...base, bucketMap: ['a', 'a', 'b', 'b', 'a', 'a', 'b'] }],
  [
    'a long list of buckets',
    'BUCKET_OUT_OF_RANGE',
    { ...base, bucketMap: ['a', 'a', 'b', 'b', 'a', 'a', 'b', 'b', 'b'] },
  ],
  ['an unknown shard in the list', 'UNKNOWN_SHARD', { ...base, bucketMap: ['a', 'a', 'c', 'b', 'a', 'a', 'b', 'b'] }],
  [
    'a hole between ranges',
    'BUCKET_WITHOUT_SHARD',
    {
      ...base,
      bucketMap: [
        { from: 0, to: 2, shard: 'a' },
        { from: 4, to: 7, shard: 'b' },
      ],
    },
  ],
  ['an empty map', 'BUCKET_WITHOUT_SHARD', { ...base, bucketMap: [] }],
  [
    'overlapping ranges',
    'DUPLICATE_BUCKET',
    {
      ...base,
      bucketMap: [
        { from: 0, to: 4, shard: 'a' },
        { from: 4, to: 7, shard: 'b' },
      ],
    },
  ],
  [
    'the same range twice',
    'DUPLICATE_BUCKET',
    {
      ...base,
      bucketMap: [
        { from: 0, to: 7, shard: 'a' },
        { from: 0, to: 7, shard: 'a' },
      ],
    },
  ],
  ['a range beyond the end', 'BUCKET_OUT_OF_RANGE', { ...base, bucketMap: [{ from: 0, to: 8, shard: 'a' }] }],
  ['a range before the begin', 'BUCKET_OUT_OF_RANGE', { ...base, bucketMap: [{ from: -1, to: 7, shard: 'a' }] }],
  ['a range that ends before it begins', 'INVALID_TOPOLOGY', { ...base, bucketMap: [{ from: 3, to: 1, shard: 'a' }] }],
  ['an unknown shard in a range', 'UNKNOWN_SHARD', { ...base, bucketMap: [{ from: 0, to: 7, shard: 'c' }] }],
  ['a pin to an unknown shard', 'UNKNOWN_SHARD', { ...base, pins: [{ family: 'f', key: 'x', shard: 'c' }] }],
  [
    'a key pinned twice',
    'DUPLICATE_PIN',
    {
      ...base,
      pins: [
        { family: 'f', key: '7', shard: 'a' },
        { family: 'f', key: 7, shard: 'b' },
      ],
    },
  ],
  [
    'a pinned number that is no integer',
    'INVALID_TOPOLOGY',
    { ...base, pins: [{ family: 'f', key: 0.5, shard: 'a' }] },
  ],
]

describe('defineTopology refuses', () => {
  it.each(bad)('%s: %s', (_, code, input) => {
    const error = caught(() => defineTopology(input as TopologyInput))
    expect(error).toBeInstanceOf(ShardwrightError)
    expect(error).toMatchObject({ name: 'TopologyError', code })
    expect((error as ShardwrightError).hint).toBeTruthy()
    expect(JSON.stringify([(error as ShardwrightError).message, error])).not.toMatch(/s3|cret/)
  })
})

describe('a topology', () => {
  it('has its defaults and is frozen to the ground', () => {
    const topology = defineTopology({ hash: 'murmur3', shards: [a, b], pins: [{ family: 'f', key: 1n, shard: 'b' }] })
    expect(topology).toMatchObject({ id: 'default', epoch: 1, buckets: 1024 })
    expect(bucketsOfShard(topology, 'a')).toHaveLength(512)
    expectFrozen(topology)
  })

  it('takes its buckets evenly, also when the shards do not divide them', () => {
    for (const count of [1, 3, 5, 7, 8, 9]) {
      const shards = Array.from({ length: count }, (_, i) => ({ id: `s${i}`, primary: `postgres://h${i}/d` }))
      const topology = defineTopology({ hash: 'postgres', buckets: 8, shards })
      const sizes = shards.map(({ id }) => bucketsOfShard(topology, id).length)
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
      expect(sizes.reduce((sum, size) => sum + size)).toBe(8)
    }
  })

  it('comes back equal through its input and JSON', () => {
    const topology = defineTopology({
      ...base,
      epoch: 7,
      bucketMap: ['b', 'a', 'a', 'b', 'b', 'b', 'a', 'b'],
      pins: [{ family: 'f', key: 'x', shard: 'b' }],
    })
    expect(defineTopology(JSON.parse(JSON.stringify(topologyInputOf(topology))))).toEqual(topology)
  })

  it('does not change when its input does', () => {
    const shards = [{ ...a }, { ...b }]
    const topology = defineTopology({ ...base, shards })
    shards[0]!.id = 'z'
    expect(topology.shards[0]!.id).toBe('a')
  })

  it('is described without passwords', () => {
    const text = describeTopology(defineTopology({ ...base, pins: [{ family: 'f', key: 'x', shard: 'b' }] }))
    expect(text).toContain('b  db2:5432/festival  4 buckets (4-7), 0 replicas, 1 pin')
    expect(text).not.toContain('s3cret')
  })
})

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

function expectFrozen(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  expect(Object.isFrozen(value)).toBe(true)
  for (const key of Reflect.ownKeys(value)) expectFrozen(value[key as keyof typeof value])
}

function caught(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}
