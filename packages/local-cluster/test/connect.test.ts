import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { clusterFromEnvironment, connectCluster, type LocalCluster, startLocalCluster } from '../src/index.ts'
import { query } from './support/query.ts'

describe('servers that already run', () => {
  let owner: LocalCluster

  beforeAll(async () => {
    owner = await startLocalCluster({ shards: 2, databasePerShard: true, replicasPerShard: 1 })
  })
  afterAll(() => owner?.stop())

  it('are a cluster with the same topology', async () => {
    await using cluster = await connectCluster({
      shards: owner.topologyInput().shards.map(({ id, primary, replicas }) => ({ id, url: primary, replicas })),
      redisUrl: 'redis://127.0.0.1:6390/2',
    })
    expect(cluster.topologyInput()).toEqual(owner.topologyInput())
    expect(cluster.redis).toMatchObject({ port: 6390, program: 'external' })
    const url = await cluster.shard('shard-2').createDatabase('extra')
    expect(await query(url, 'SELECT current_database() AS name')).toEqual([{ name: 'extra' }])
    await cluster.shard('shard-1').replicas[0]?.caughtUp()
  })

  it('are not stopped, disturbed or emptied', async () => {
    const cluster = await connectCluster({
      shards: [{ url: owner.shard('shard-1').url, replicas: [owner.shard('shard-1').replicas[0]?.url ?? ''] }],
      redisUrl: 'redis://127.0.0.1:6390',
    })
    const shard = cluster.shard('shard-1')
    const refused = { code: 'SERVER_NOT_CONTROLLED' }
    for (const call of ['start', 'stop', 'kill', 'pause', 'resume', 'restart'] as const) {
      await expect(shard[call]()).rejects.toMatchObject(refused)
      await expect(cluster.redis?.[call]()).rejects.toMatchObject(refused)
    }
    await expect(shard.replicas[0]?.promote()).rejects.toMatchObject(refused)
    await expect(shard.addReplica()).rejects.toMatchObject(refused)
    await expect(cluster.redis?.flush()).rejects.toMatchObject(refused)
    await cluster.stop()
    expect(await query(shard.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  it('are taken from the environment', async () => {
    const urls = owner.shards.map(({ url }) => url).join(',\n')
    const replica = owner.shard('shard-2').replicas[0]?.url
    const environment = { SHARDWRIGHT_SHARD_URLS: urls, SHARDWRIGHT_REPLICA_URLS: `shard-2=${replica}` }
    const cluster = await clusterFromEnvironment({ shards: 2 }, environment)
    expect(cluster.topologyInput().shards.map(({ replicas }) => replicas)).toEqual([[], [replica]])
    await expect(clusterFromEnvironment({ shards: 3 }, environment)).rejects.toThrow(/names 2 shards, 3 are needed/)
    const stray = { ...environment, SHARDWRIGHT_REPLICA_URLS: `shard-7=${replica}` }
    await expect(clusterFromEnvironment({ shards: 2 }, stray)).rejects.toThrow(/no known shard: shard-7/)
  })

  it('are started when the environment names none', async () => {
    await using cluster = await clusterFromEnvironment({ shards: 1, databasePerShard: true }, {})
    await cluster.shard('shard-1').restart()
    expect(await query(cluster.shard('shard-1').url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  it('never show a password in an error', async () => {
    const secret = 'hunter2hunter2'
    const calls = [
      connectCluster({ shards: [{ url: `postgres://app:${secret}@127.0.0.1:1/app` }] }),
      connectCluster({ shards: [{ url: `postgres://app:${secret}@127.0.0.1:${owner.servers[0]?.port}/shard_1` }] }),
      connectCluster({ shards: [{ url: `http://app:${secret}@127.0.0.1/app` }] }),
      connectCluster({ shards: [{ url: `postgres://app:${secret}@[/app` }] }),
      connectCluster({ shards: [{ url: `postgres://app:${secret}@127.0.0.1` }] }),
      clusterFromEnvironment({}, { SHARDWRIGHT_SHARD_URLS: 'postgres://a/b', SHARDWRIGHT_REPLICA_URLS: `:${secret}@` }),
    ]
    const errors = await Promise.all(calls.map((call) => call.catch((error: unknown) => error)))
    for (const error of errors) {
      expect(error).toMatchObject({ code: expect.stringMatching(/^(SERVER_UNREACHABLE|LOCAL_CLUSTER_OPTIONS)$/) })
      expect(`${(error as Error).stack} ${JSON.stringify(error)}`).not.toContain(secret)
    }
  })

  it('need an id each', async () => {
    const { url } = owner.shard('shard-1')
    await expect(connectCluster({ shards: [{ url }, { id: 'shard-1', url }] })).rejects.toThrow(/an id twice/)
    await expect(connectCluster({ shards: [] })).rejects.toThrow(/names no server/)
  })
})
