import { type LocalClusterOptions, resolveClusterOptions } from '../options/cluster-options.ts'
import type { LocalCluster } from './local-cluster.ts'
import { startContainerCluster } from './start-container-cluster.ts'
import { startEmbeddedCluster } from './start-embedded-cluster.ts'

/**
 * Starts real PostgreSQL servers (and Redis) on free ports of 127.0.0.1. They end with `stop`, with `await using`, and
 * at the latest with this process, whatever ended it.
 *
 * @throws LocalClusterError LOCAL_CLUSTER_OPTIONS, POSTGRES_BINARIES_MISSING, SERVER_START_FAILED, REDIS_UNAVAILABLE,
 *   CONTAINERS_UNAVAILABLE
 * @example
 * await using cluster = await startLocalCluster({ shards: 2, databasePerShard: true })
 * const client = new Client({ connectionString: cluster.shard('shard-1').url })
 */
export async function startLocalCluster(options: LocalClusterOptions = {}): Promise<LocalCluster> {
  const resolved = resolveClusterOptions(options)
  return resolved.engine === 'containers' ? await startContainerCluster(resolved) : await startEmbeddedCluster(resolved)
}
