import { canonicalKey, defineTopology, keyTypes, locate, ownershipExpression } from '@shardwright/core'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { keySamples } from '../hashing/key-samples.ts'
import { samples, seed } from '../support/property.ts'
import { startTestServer } from '../support/test-server.ts'

const shards = ['a', 'b', 'c'].map((id) => ({ id, primary: `postgres://${id}/d` }))

describe(`ownershipExpression on a server (seed ${seed})`, () => {
  let server: Awaited<ReturnType<typeof startTestServer>>
  let client: pg.Client
  beforeAll(async () => {
    server = await startTestServer()
    client = new pg.Client({ connectionString: server.url })
    await client.connect()
    await client.query("set timezone = 'America/New_York'")
  })
  afterAll(async () => {
    await client?.end()
    await server?.stop()
  })

  it.each(keyTypes)('%s: every key is owned by exactly the shard that locate gives, pins included', async (type) => {
    const keys = [...new Set(samples(keySamples[type], 600).map((key) => canonicalKey(type, key)))]
    const pins = keys.slice(0, 12).map((key, i) => ({ family: 'f', key, shard: shards[i % 3]!.id }))
    const topology = defineTopology({
      hash: 'postgres',
      buckets: 64,
      shards,
      pins,
      bucketMap: Array.from({ length: 64 }, (_, i) => shards[(i * 7) % 3]!.id),
    })
    const columns = shards.map(({ id }) => ownershipExpression(topology, id, { family: 'f', type, columnSql: 'k' }))
    const { rows } = await client.query<{ a: boolean; b: boolean; c: boolean }>(
      `select ${columns.map((sql, i) => `${sql} as ${shards[i]!.id}`).join(', ')}
       from unnest($1::text[]) with ordinality as input(t, n), lateral (select t::${type} as k) as key order by n`,
      [keys],
    )
    let pinned = 0
    for (const [i, row] of rows.entries()) {
      const location = locate(topology, { family: 'f', type, value: keys[i]! })
      if (location.pinned) pinned++
      expect([row.a, row.b, row.c], keys[i]).toEqual([0, 1, 2].map((shard) => shard === location.shard))
    }
    expect(rows).toHaveLength(keys.length)
    expect(pinned).toBe(pins.length)
  })

  it.each(keyTypes)('%s: a CHECK, an index and a publication row filter accept it', async (type) => {
    const keys = samples(keySamples[type], 300).map((key) => canonicalKey(type, key))
    const topology = defineTopology({ hash: 'postgres', shards, pins: [{ family: 'f', key: keys[0]!, shard: 'b' }] })
    const owned = (id: string) => ownershipExpression(topology, id, { family: 'f', type, columnSql: '"the key"' })
    await client.query(`
      drop publication if exists p; drop table if exists t;
      create table t ("the key" ${type} primary key, check (${owned('b')}));
      create index on t ((${owned('b')}));
      create publication p for table t where (${owned('b')})`)
    await client.query(
      `insert into t select distinct k::${type} from unnest($1::text[]) as k where ${owned('b').replaceAll('"the key"', `k::${type}`)}`,
      [keys],
    )
    const foreign = keys.find((key) => locate(topology, { family: 'f', type, value: key }).shard === 2)!
    await expect(client.query(`insert into t values ($1)`, [foreign])).rejects.toMatchObject({ code: '23514' })
  })

  it('reads quotes and backslashes of pinned keys as they are', async () => {
    const keys = ["o'hara", 'a\\b', "\\'; drop table t; --", '$1', 'é😀']
    const topology = defineTopology({
      hash: 'postgres',
      buckets: 1,
      shards,
      pins: keys.map((key) => ({ family: 'f', key, shard: 'c' })),
    })
    const sql = ownershipExpression(topology, 'c', { family: 'f', type: 'text', columnSql: 'k' })
    for (const setting of ['on', 'off']) {
      await client.query(`set standard_conforming_strings = ${setting}`)
      const { rows } = await client.query<{ own: boolean }>(`select ${sql} as own from unnest($1::text[]) as k`, [
        [...keys, 'other'],
      ])
      expect(rows.map(({ own }) => own)).toEqual([...keys.map(() => true), false])
    }
  })
})

describe('ownershipExpression', () => {
  it('refuses murmur3 with the reason, and an unknown shard', () => {
    const column = { family: 'f', type: 'text', columnSql: 'k' } as const
    const murmur = defineTopology({ hash: 'murmur3', shards })
    expect(() => ownershipExpression(murmur, 'a', column)).toThrow(expect.objectContaining({ code: 'HASH_NOT_IN_SQL' }))
    const topology = defineTopology({ hash: 'postgres', shards })
    expect(() => ownershipExpression(topology, 'z', column)).toThrow(expect.objectContaining({ code: 'UNKNOWN_SHARD' }))
  })
})
