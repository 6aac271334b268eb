import { inspect } from 'node:util'
import { bucketsOfShard, defineTopology, describeTopology, topologyInputOf } from '@shardwright/core'
import { describe, expect, it } from 'vitest'
import { a, b, base } from './base-topology.ts'

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
    expect(defineTopology(topologyInputOf(topology)).shards[0]!.primary.url).toBe(a.primary)
  })

  it('does not change when its input does', () => {
    const shards = [{ ...a }, { ...b }]
    const topology = defineTopology({ ...base, shards })
    shards[0]!.id = 'z'
    expect(topology.shards[0]!.id).toBe('a')
  })

  it('takes several candidates for a primary, of which a replica may be one', () => {
    const several = {
      id: 'a',
      primary: 'postgres://app:s3cret@db1:5432,db2/festival',
      replicas: ['postgres://db2/festival'],
    }
    const topology = defineTopology({ ...base, shards: [several] })
    expect(topology.shards[0]!.primary.address).toBe('db1:5432/festival,db2:5432/festival')
    expect(() => defineTopology({ ...base, shards: [several, b] })).toThrow(
      expect.objectContaining({ code: 'DUPLICATE_SHARD_URL' }),
    )
    const twice = { ...several, replicas: ['postgres://db3/festival', 'postgres://db3/festival'] }
    expect(() => defineTopology({ ...base, shards: [twice] })).toThrow(
      expect.objectContaining({ code: 'DUPLICATE_SHARD_URL' }),
    )
  })

  it('shows no password when it is logged, printed or compared', () => {
    const topology = defineTopology({
      ...base,
      shards: [{ ...a, replicas: ['postgres://app:s3cret@db3/festival'] }, b],
    })
    expect(topology.shards[0]!.primary.url).toBe(a.primary)
    expect(topology.shards[0]!.primary.directUrl).toBe(a.primary)
    expect(inspect(topology, { depth: 9 }) + JSON.stringify(topology)).not.toContain('s3cret')
  })

  it('is described without passwords', () => {
    const text = describeTopology(defineTopology({ ...base, pins: [{ family: 'f', key: 'x', shard: 'b' }] }))
    expect(text).toContain('b  db2:5432/festival  4 buckets (4-7), 0 replicas, 1 pin')
    expect(text).not.toContain('s3cret')
  })
})

function expectFrozen(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  expect(Object.isFrozen(value)).toBe(true)
  for (const key of Reflect.ownKeys(value)) expectFrozen(value[key as keyof typeof value])
}
