import { loadTestcontainers } from '../containers/container-engine.ts'
import { startContainerRedis } from '../containers/container-redis.ts'
import { ContainerServerFactory } from '../containers/container-server-factory.ts'
import type { ResolvedClusterOptions } from '../options/cluster-options.ts'
import { CleanUp } from './clean-up.ts'
import type { LocalCluster } from './local-cluster.ts'
import { RunningCluster } from './running-cluster.ts'
import { startShards } from './start-shards.ts'

/** Servers in containers. */
export async function startContainerCluster(options: ResolvedClusterOptions): Promise<LocalCluster> {
  const cleanUp = new CleanUp()
  return await cleanUp.onFailure(async () => {
    const testcontainers = await loadTestcontainers()
    const redis = options.redis ? await startContainerRedis(options.startTimeoutMs) : undefined
    if (redis !== undefined) cleanUp.add(() => redis.destroy())
    const factory = await ContainerServerFactory.create(testcontainers, options)
    cleanUp.add(() => factory.destroy())
    return new RunningCluster({ shards: await startShards(factory, options), redis, stop: () => cleanUp.run() })
  })
}
