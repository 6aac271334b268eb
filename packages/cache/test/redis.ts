import { type LocalCluster, type LocalRedis, redisAvailability, startLocalCluster } from '@shardwright/local-cluster'
import { Redis } from 'ioredis'

/** A client as the README asks for it. */
export function redisClient(url: string): Redis {
  const client = new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => 50,
    lazyConnect: false,
  })
  client.on('error', () => undefined)
  return client
}

/** Resolves when the client can be used. */
export async function readyClient(url: string): Promise<Redis> {
  const client = redisClient(url)
  while (client.status !== 'ready') await new Promise((resolve) => setTimeout(resolve, 5))
  return client
}

export interface RedisFixture extends AsyncDisposable {
  readonly cluster: LocalCluster
  readonly redis: LocalRedis
  client(): Promise<Redis>
}

/** One PostgreSQL, one Redis, and clients that end with it. */
export async function startRedisFixture(): Promise<RedisFixture> {
  const cluster = await startLocalCluster({ shards: 1, databasePerShard: true, redis: true })
  const redis = cluster.redis!
  const clients: Redis[] = []
  return {
    cluster,
    redis,
    client: async () => {
      const client = await readyClient(redis.url)
      clients.push(client)
      return client
    },
    [Symbol.asyncDispose]: async () => {
      for (const client of clients) client.disconnect()
      await cluster.stop()
    },
  }
}

export const redisHere = await redisAvailability()
