import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '@shardwright/local-cluster'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Cache, createCache, memoryTier, redisTier } from '../src/index.ts'
import { freshNamespace, until } from './caches.ts'
import { program, type RedisNode, startRedisNode } from './redis-node.ts'

const key = { name: 'item', tenant: 't', id: 1 }

describe.skipIf(!program)('Redis behind Sentinel', () => {
  let folder: string
  let sentinelPort: number
  let primary: RedisNode
  const nodes: RedisNode[] = []
  const clients: Redis[] = []
  const caches: Cache[] = []

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shardwright-sentinel-'))
    primary = startRedisNode(await freePort(), ['--save', '', '--dir', folder])
    const replicaOf = ['--replicaof', '127.0.0.1', `${primary.port}`, '--repl-diskless-sync-delay', '0']
    const replica = startRedisNode(await freePort(), ['--save', '', '--dir', folder, ...replicaOf])
    nodes.push(primary, replica)
    const probe = new Redis(replica.port, '127.0.0.1', { retryStrategy: () => 50 })
    probe.on('error', () => undefined)
    await until(async () => /master_link_status:up/.test(await probe.info('replication')), 'the replica')
    probe.disconnect()
    sentinelPort = await freePort()
    const config = join(folder, 'sentinel.conf')
    const monitor = `sentinel monitor shop 127.0.0.1 ${primary.port} 1`
    const times = 'sentinel down-after-milliseconds shop 500\nsentinel failover-timeout shop 2000'
    await writeFile(config, `port ${sentinelPort}\nbind 127.0.0.1\ndir ${folder}\n${monitor}\n${times}\n`)
    nodes.push(startRedisNode(sentinelPort, [config, '--sentinel']))
    const sentinel = new Redis(sentinelPort, '127.0.0.1', { retryStrategy: () => 50 })
    sentinel.on('error', () => undefined)
    await until(async () => {
      const replicas = (await sentinel.call('SENTINEL', 'REPLICAS', 'shop').catch(() => [])) as unknown[]
      return replicas.length === 1
    }, 'the sentinel to know the replica')
    sentinel.disconnect()
  })

  afterAll(async () => {
    for (const cache of caches) await cache.close()
    for (const client of clients) client.disconnect()
    for (const node of nodes) await node.stop()
    await rm(folder, { recursive: true, force: true })
  })

  test('after a failover nothing of the old server is believed, though the new one has it', async () => {
    const client = new Redis({
      sentinels: [{ host: '127.0.0.1', port: sentinelPort }],
      name: 'shop',
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      sentinelRetryStrategy: () => 100,
      retryStrategy: () => 100,
    })
    client.on('error', () => undefined)
    clients.push(client)
    const tiers = [memoryTier(), redisTier({ client, budgetMs: 2_000 })]
    const cache = await createCache({ namespace: freshNamespace(), tiers }).ready()
    caches.push(cache)
    await until(() => cache.coherent, 'the link')
    expect(await cache.getOrLoad(key, async () => 'old')).toBe('old')
    await until(async () => (await client.exists(cache.keyText(key))) === 1, 'the value')
    expect(await client.wait(1, 5_000)).toBe(1)
    await primary.stop()
    await until(() => !cache.coherent, 'the loss of the old server')
    await until(() => cache.coherent, 'the link to the promoted server')
    // It has the old value, and may have missed any invalidation.
    expect(await client.exists(cache.keyText(key))).toBe(1)
    expect(await cache.getOrLoad(key, async () => 'new')).toBe('new')
    expect(await cache.getOrLoad({ ...key, id: 2 }, async () => 'works')).toBe('works')
    expect(await cache.invalidate(key)).toBe('done')
  })
})
