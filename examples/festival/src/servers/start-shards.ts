import { clusterFromEnvironment, startLocalCluster } from '@shardwright/local-cluster'
import { festivalTopology, shardIds } from '../schema/topology.ts'
import type { PlatformServers } from './platform-servers.ts'

const icu = 'en-US'

/** Starts the shards, or takes those of SHARDWRIGHT_SHARD_URLS. `databasePerShard`: one server for all of them. */
export async function startShards({
  databasePerShard,
}: {
  readonly databasePerShard: boolean
}): Promise<PlatformServers> {
  const cluster = await clusterFromEnvironment({ shards: shardIds.length, databasePerShard, icu })
  const one = await startLocalCluster({ shards: 1, icu }).catch(async (error: unknown) => {
    await cluster.stop()
    throw error
  })
  return Object.freeze({
    title: `${shardIds.length} shards`,
    oneUrl: one.shards[0]?.url ?? '',
    topology: (festivals) =>
      festivalTopology(
        cluster.shards.map(({ url }) => url),
        festivals,
      ),
    place: async () => {},
    stop: async () => {
      await Promise.all([cluster.stop(), one.stop()])
    },
  } satisfies PlatformServers)
}
