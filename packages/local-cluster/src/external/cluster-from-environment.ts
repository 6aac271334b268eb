import type { LocalCluster } from '../cluster/local-cluster.ts'
import { startLocalCluster } from '../cluster/start-local-cluster.ts'
import { LocalClusterError } from '../errors/local-cluster-error.ts'
import type { LocalClusterOptions } from '../options/cluster-options.ts'
import { type ConnectClusterOptions, connectCluster } from './connect-cluster.ts'

/**
 * The servers that the environment names, else servers of our own.
 *
 * SHARDWRIGHT_SHARD_URLS holds the primaries' URLs, SHARDWRIGHT_REPLICA_URLS replicas as `shard-1=postgres://...`, both
 * with blanks, commas or line ends between them; REDIS_URL names a Redis.
 *
 * @throws LocalClusterError LOCAL_CLUSTER_OPTIONS when the environment names fewer shards than `options` asks for
 * @example
 * await using cluster = await clusterFromEnvironment({ shards: 4 })
 */
export async function clusterFromEnvironment(
  options: LocalClusterOptions = {},
  environment: NodeJS.ProcessEnv = process.env,
): Promise<LocalCluster> {
  const named = environmentServers(environment)
  if (named === undefined) return await startLocalCluster(options)
  const wanted = options.shards ?? 1
  if (named.shards.length < wanted) {
    const message = `SHARDWRIGHT_SHARD_URLS names ${named.shards.length} shards, ${wanted} are needed`
    throw new LocalClusterError('LOCAL_CLUSTER_OPTIONS', message)
  }
  return await connectCluster({ ...named, shards: named.shards.slice(0, wanted) })
}

/** What the environment names, `undefined` without SHARDWRIGHT_SHARD_URLS. */
export function environmentServers(environment: NodeJS.ProcessEnv): ConnectClusterOptions | undefined {
  const urls = words(environment.SHARDWRIGHT_SHARD_URLS)
  if (urls.length === 0) return undefined
  const replicas = words(environment.SHARDWRIGHT_REPLICA_URLS).map(namedReplica)
  const shards = urls.map((url, index) => {
    const id = `shard-${index + 1}`
    return { id, url, replicas: replicas.filter((replica) => replica.shard === id).map((replica) => replica.url) }
  })
  const stray = replicas.find((replica) => !shards.some(({ id }) => id === replica.shard))
  if (stray !== undefined) {
    throw new LocalClusterError(
      'LOCAL_CLUSTER_OPTIONS',
      `SHARDWRIGHT_REPLICA_URLS names no known shard: ${stray.shard}`,
    )
  }
  const redisUrl = environment.REDIS_URL
  return { shards, ...(redisUrl ? { redisUrl } : {}) }
}

function namedReplica(entry: string): { shard: string; url: string } {
  const [, shard, url] = /^([\w-]+)=(.+)$/.exec(entry) ?? []
  if (shard !== undefined && url !== undefined) return { shard, url }
  throw new LocalClusterError(
    'LOCAL_CLUSTER_OPTIONS',
    'an entry of SHARDWRIGHT_REPLICA_URLS is not shard-1=postgres://...',
  )
}

function words(text = ''): string[] {
  return text.split(/[\s,]+/).filter((word) => word !== '')
}
