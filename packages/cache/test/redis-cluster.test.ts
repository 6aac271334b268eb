import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '@shardwright/local-cluster'
import { Cluster, Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Cache, createCache, memoryTier, redisTier } from '../src/index.ts'
import { freshNamespace, patient, until } from './caches.ts'
import { program, type RedisNode, startRedisNode } from './redis-node.ts'

async function startClusterNode(folder: string): Promise<RedisNode> {
  const port = await freePort()
  const bus = ['--cluster-port', `${await freePort()}`, '--cluster-config-file', `nodes-${port}.conf`]
  return startRedisNode(port, ['--cluster-enabled', 'yes', ...bus, '--save', '', '--dir', folder])
}

describe.skipIf(!program)('Redis Cluster of three servers', () => {
  let folder: string
  let nodes: RedisNode[] = []
  const clients: Cluster[] = []
  const caches: Cache[] = []

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shardwright-redis-cluster-'))
    for (let index = 0; index < 3; index++) nodes.push(await startClusterNode(folder))
    const first = nodes[0]!
    for (const [index, node] of nodes.entries()) {
      const client = new Redis(node.port, '127.0.0.1', { retryStrategy: () => 50 })
      client.on('error', () => undefined)
      await client.call(
        'CLUSTER',
        'ADDSLOTSRANGE',
        `${Math.ceil((16384 * index) / 3)}`,
        `${Math.ceil((16384 * (index + 1)) / 3) - 1}`,
      )
      const bus = /@(\d+)/.exec(String(await client.call('CLUSTER', 'NODES')))![1]!
      const other = new Redis(first.port, '127.0.0.1')
      if (index > 0) await other.call('CLUSTER', 'MEET', '127.0.0.1', `${node.port}`, bus)
      other.disconnect()
      client.disconnect()
    }
    for (const node of nodes) {
      const client = new Redis(node.port, '127.0.0.1')
      await until(
        async () => /cluster_state:ok[\s\S]*cluster_known_nodes:3/.test(String(await client.call('CLUSTER', 'INFO'))),
        'the cluster',
      )
      client.disconnect()
    }
  })

  afterAll(async () => {
    for (const cache of caches) await cache.close()
    for (const client of clients) client.disconnect()
    for (const node of nodes) await node.stop()
    nodes = []
    await rm(folder, { recursive: true, force: true })
  })

  async function cacheNode(namespace: string): Promise<Cache> {
    const client = new Cluster([{ host: '127.0.0.1', port: nodes[0]!.port }], { enableOfflineQueue: true })
    client.on('error', () => undefined)
    clients.push(client)
    const cache = await createCache({
      namespace,
      tiers: [memoryTier(), redisTier({ client, ...patient })],
    }).ready()
    caches.push(cache)
    await until(() => cache.coherent, 'the link over the cluster')
    return cache
  }

  test('entries of many slots, batches, invalidations and tags reach every process before they return', async () => {
    const namespace = freshNamespace()
    const [here, there] = [await cacheNode(namespace), await cacheNode(namespace)]
    const keys = Array.from({ length: 100 }, (_, id) => ({ name: 'item', tenant: `t${id % 7}`, id }))
    const read = async (cache: Cache, value: string) =>
      new Set(
        await Promise.all(keys.map((key) => cache.getOrLoad(key, async () => value, { tags: [`tag${key.id % 5}`] }))),
      )
    expect(await read(here, 'one')).toEqual(new Set(['one']))
    expect(await read(there, 'two')).toEqual(new Set(['one']))
    expect(await there.invalidate(keys)).toBe('done')
    expect(await read(here, 'three')).toEqual(new Set(['three']))
    expect(await read(there, 'four')).toEqual(new Set(['three']))
    expect(await here.invalidateTag(['tag0', 'tag1', 'tag2', 'tag3', 'tag4'])).toBe('done')
    expect(await read(there, 'five')).toEqual(new Set(['five']))
    expect(await read(here, 'six')).toEqual(new Set(['five']))
    expect(here.statistics().item?.hits.redis).toBeGreaterThan(0)
  })
})
