import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { LocalClusterError } from '../errors/local-cluster-error.ts'
import { freePort } from '../net/free-port.ts'
import { findRedis } from './find-redis.ts'
import { RedisServer } from './redis-server.ts'

export interface StartRedisInit {
  /** The cluster's folder. */
  readonly folder: string
  readonly startTimeoutMs: number
}

/** @throws LocalClusterError REDIS_UNAVAILABLE, SERVER_START_FAILED */
export async function startRedis({ folder, startTimeoutMs }: StartRedisInit): Promise<RedisServer> {
  const found = await findRedis()
  if (!found.available) throw new LocalClusterError('REDIS_UNAVAILABLE', `no Redis: ${found.reason}`)
  const data = join(folder, 'redis')
  await mkdir(data)
  const server = new RedisServer({ program: found.program, folder: data, port: await freePort(), startTimeoutMs })
  await server.start()
  return server
}
