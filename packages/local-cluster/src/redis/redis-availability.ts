import { containersAvailable } from '../containers/container-engine.ts'
import type { FoundProgram } from '../programs/machine-programs.ts'
import { findInstalledRedis, obtainRedis } from './find-redis.ts'

export type RedisSearch =
  | { readonly source: 'machine' | 'packages'; readonly program: FoundProgram }
  | { readonly source: 'container' }
  | { readonly source: 'none'; readonly reason: string }

export interface RedisAvailability {
  readonly available: boolean
  /** Where a Redis would come from. */
  readonly source: RedisSearch['source']
  /** Why there is none. */
  readonly reason?: string
}

let search: Promise<RedisSearch> | undefined

/** redis-server or valkey-server on the machine, else a container, else out of the distribution's packages. */
export async function searchRedis(): Promise<RedisSearch> {
  search ??= searchOnce()
  return await search
}

/**
 * Whether `startLocalCluster({ redis: true })` can work here, for suites to skip themselves visibly.
 *
 * @example
 * const redis = await redisAvailability()
 * describe.skipIf(!redis.available)('the Redis tier', () => { ... })
 */
export async function redisAvailability(): Promise<RedisAvailability> {
  const found = await searchRedis()
  if (found.source !== 'none') return { available: true, source: found.source }
  return { available: false, source: 'none', reason: found.reason }
}

async function searchOnce(): Promise<RedisSearch> {
  const program = await findInstalledRedis()
  if (program !== undefined) return { source: 'machine', program }
  if (await containersAvailable()) return { source: 'container' }
  const obtained = await obtainRedis()
  return obtained.available
    ? { source: 'packages', program: obtained.program }
    : { source: 'none', reason: obtained.reason }
}
