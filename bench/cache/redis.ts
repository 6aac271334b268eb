import { createRequire } from 'node:module'
import type { RedisClient } from '@shardwright/cache'

/** The part of an ioredis client that the benches use besides what the tier needs. */
export interface BenchRedis extends RedisClient {
  getBuffer(key: string): Promise<Buffer | null>
  set(key: string, value: Buffer): Promise<unknown>
  disconnect(): void
}

// ioredis and msgpackr are dependencies of the cache alone; the workspace's root does not see them.
const require = createRequire(new URL('../../packages/cache/package.json', import.meta.url))
const { Redis } = require('ioredis') as { Redis: new (url: string, options: object) => BenchRedis }

export function connectRedis(url: string): BenchRedis {
  const client = new Redis(url, { enableOfflineQueue: false, maxRetriesPerRequest: 0 })
  client.on('error', () => undefined)
  return client
}

/** Resolves when the client can be used. */
export async function readyRedis(url: string): Promise<BenchRedis> {
  const client = connectRedis(url)
  while (client.status !== 'ready') await new Promise((resolve) => setTimeout(resolve, 5))
  return client
}

/** msgpack as a service would use it by itself. */
export function msgpack(): { pack(value: unknown): Buffer; unpack(bytes: Buffer): unknown } {
  const { Packr } = require('msgpackr') as {
    Packr: new (options: object) => { pack(value: unknown): Buffer; unpack(bytes: Buffer): unknown }
  }
  return new Packr({ structuredClone: true, moreTypes: true })
}
