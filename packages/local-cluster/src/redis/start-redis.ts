import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { startContainerRedis } from '../containers/container-redis.ts'
import { LocalClusterError } from '../errors/local-cluster-error.ts'
import { onFreePort } from '../net/on-free-port.ts'
import type { FoundProgram } from '../programs/machine-programs.ts'
import { obtainRedis } from './find-redis.ts'
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
    case 'container':
      return await startContainerRedis(init.startTimeoutMs).catch((cause) => startObtained(init, cause))
    case 'none':
      throw new LocalClusterError('REDIS_UNAVAILABLE', `Redis cannot be started: ${search.reason}`)
  }
}

/** The container engine is there, but the container did not start, as when its image cannot be pulled. */
async function startObtained(init: StartRedisInit, cause: unknown): Promise<RedisServer> {
  const search = await obtainRedis()
  if (search.available) return await startProgram(search.program, init)
  const reason = `its container did not start, and ${search.reason}`
  throw new LocalClusterError('REDIS_UNAVAILABLE', `Redis cannot be started: ${reason}`, { cause })
}

async function startProgram(program: FoundProgram, { folder, startTimeoutMs }: StartRedisInit): Promise<RedisServer> {
  const data = join(folder, 'redis')
  await mkdir(data)
  return await onFreePort(async (port) => {
    const server = new RedisServer({ program, folder: data, port, startTimeoutMs })
    await server.start()
    return server
  })
}
