import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { LocalClusterError } from '../errors/local-cluster-error.ts'
import { freePort } from '../net/free-port.ts'
import type { FoundProgram } from '../programs/machine-programs.ts'
import type { OwnedRedis } from './local-redis.ts'
import { searchRedis } from './redis-availability.ts'
import { RedisServer } from './redis-server.ts'

export interface StartRedisInit {
  /** The cluster's folder. */
  readonly folder: string
  readonly startTimeoutMs: number
}

/** @throws LocalClusterError REDIS_UNAVAILABLE, SERVER_START_FAILED */
export async function startRedis(init: StartRedisInit): Promise<OwnedRedis> {
  const search = await searchRedis()
  switch (search.source) {
    case 'machine':
    case 'packages':
      return await startProgram(search.program, init)
    case 'none':
      throw new LocalClusterError('REDIS_UNAVAILABLE', `Redis cannot be started: ${search.reason}`)
  }
}

async function startProgram(program: FoundProgram, { folder, startTimeoutMs }: StartRedisInit): Promise<RedisServer> {
  const data = join(folder, 'redis')
  await mkdir(data)
  const server = new RedisServer({ program, folder: data, port: await freePort(), startTimeoutMs })
  await server.start()
  return server
}
