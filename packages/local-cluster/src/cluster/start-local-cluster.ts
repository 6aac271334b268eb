import {
  type LocalClusterOptions,
  type ResolvedClusterOptions,
  resolveClusterOptions,
} from '../options/cluster-options.ts'
import { postgresBinaries } from '../postgres/binaries.ts'
import type { PostgresServer } from '../postgres/postgres-server.ts'
import { unprivilegedUser } from '../process/unprivileged-user.ts'
import { createWorkFolder, removeWorkFolder } from '../process/work-folder.ts'
import type { OwnedRedis } from '../redis/local-redis.ts'
import { startRedis } from '../redis/start-redis.ts'
import { EmbeddedServerFactory } from './embedded-server-factory.ts'
import type { LocalCluster, LocalShard } from './local-cluster.ts'
import { RunningCluster } from './running-cluster.ts'
import { ServerShard } from './server-shard.ts'

/**
 * Starts real PostgreSQL servers (and Redis) on free ports of 127.0.0.1. They end with `stop`, with `await using`, and
 * at the latest with this process, whatever ended it.
 *
 * @throws LocalClusterError LOCAL_CLUSTER_OPTIONS, POSTGRES_BINARIES_MISSING, SERVER_START_FAILED, REDIS_UNAVAILABLE
 * @example
 * await using cluster = await startLocalCluster({ shards: 2, databasePerShard: true })
 * const client = new Client({ connectionString: cluster.shards[0]?.url })
 */
export async function startLocalCluster(options: LocalClusterOptions = {}): Promise<LocalCluster> {
  return await startEmbeddedCluster(resolveClusterOptions(options))
}

async function startEmbeddedCluster(options: ResolvedClusterOptions): Promise<LocalCluster> {
  const user = unprivilegedUser()
  const folder = await createWorkFolder(user)
  const redis: { server?: OwnedRedis } = {}
  let factory: EmbeddedServerFactory | undefined
  const stop = async () => {
    try {
      await Promise.all([factory?.destroy(), redis.server?.destroy()])
    } finally {
      await removeWorkFolder(folder)
    }
  }
  try {
    const binaries = await postgresBinaries(folder, user)
    factory = new EmbeddedServerFactory({ folder, binaries, user, options })
    if (options.redis) redis.server = await startRedis({ folder, startTimeoutMs: options.startTimeoutMs })
    const shards = options.databasePerShard
      ? await databasePerShard(factory, options)
      : await serverPerShard(factory, options)
    const servers = [...new Set(shards.map((shard) => shard.server))]
    return new RunningCluster({ shards, servers, redis: redis.server, stop })
  } catch (error) {
    await stop()
    throw error
  }
}

async function serverPerShard(factory: EmbeddedServerFactory, options: ResolvedClusterOptions): Promise<LocalShard[]> {
  const started = await settled(
    numbers(options.shards).map(async (number) => {
      const server = await factory.startPrimary(`server-${number}`)
      await server.createDatabase('app')
      const { replicaServers, startReplica } = await replicate(factory, server, options.replicasPerShard)
      return new ServerShard({ id: `shard-${number}`, database: 'app', server, replicaServers, startReplica })
    }),
  )
  return started
}

async function databasePerShard(
  factory: EmbeddedServerFactory,
  options: ResolvedClusterOptions,
): Promise<LocalShard[]> {
  const server = await factory.startPrimary('server-1')
  const databases = numbers(options.shards).map((number) => ({ id: `shard-${number}`, database: `shard_${number}` }))
  for (const { database } of databases) await server.createDatabase(database)
  const { replicaServers, startReplica } = await replicate(factory, server, options.replicasPerShard)
  return databases.map((shard) => new ServerShard({ ...shard, server, replicaServers, startReplica }))
}

async function replicate(factory: EmbeddedServerFactory, primary: PostgresServer, count: number) {
  let made = 0
  const startReplica = () => factory.startReplica(`${primary.id}-replica-${++made}`, primary)
  const replicaServers: PostgresServer[] = []
  // One at a time: a server can hold several backups, but two copies compete for the same disk.
  for (const _ of numbers(count)) replicaServers.push(await startReplica())
  return { replicaServers, startReplica }
}

/** Waits for all before it fails with the first, so that nothing is still starting while it is being removed. */
async function settled<T>(work: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(work)
  return await Promise.all(work)
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1)
}
