import { type FoundProgram, findProgram } from '../programs/find-program.ts'

export type RedisSearch =
  | { readonly available: true; readonly program: FoundProgram }
  | { readonly available: false; readonly reason: string }

/** Looks for redis-server and valkey-server. */
export async function findRedis(): Promise<RedisSearch> {
  for (const name of ['redis-server', 'valkey-server']) {
    const program = await findProgram(name)
    if (program !== undefined) return { available: true, program }
  }
  return { available: false, reason: 'neither redis-server nor valkey-server was found' }
}
