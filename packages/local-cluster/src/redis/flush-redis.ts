import { LocalClusterError } from '../errors/local-cluster-error.ts'
import { redisCommand } from './redis-command.ts'

/** Removes all keys of all databases. */
export async function flushRedis(host: string, port: number): Promise<void> {
  const reply = await redisCommand(host, port, 'FLUSHALL')
  if (reply !== '+OK') throw new LocalClusterError('SERVER_STATE', `Redis answered FLUSHALL with ${reply}`)
}
