import { defineTopology, ShardwrightError, type TopologyInput } from '@shardwright/core'
import { describe, expect, it } from 'vitest'
import { caught } from '../support/caught.ts'
import { a, b, base } from './base-topology.ts'

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
