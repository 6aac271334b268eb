import type { ResolvedClusterOptions } from '../options/cluster-options.ts'
import type { LocalServer, LocalShard } from './local-cluster.ts'
import type { ServerFactory } from './server-factory.ts'
import { ServerShard } from './server-shard.ts'

/** Starts the servers that `options` asks for, with the shards' databases and replicas. */
export async function startShards(factory: ServerFactory, options: ResolvedClusterOptions): Promise<LocalShard[]> {
  return options.databasePerShard ? await databasePerShard(factory, options) : await serverPerShard(factory, options)
}

async function serverPerShard(factory: ServerFactory, options: ResolvedClusterOptions): Promise<LocalShard[]> {
  const starting = numbers(options.shards).map(async (number) => {
    const server = await factory.startPrimary(`server-${number}`)
    await server.createDatabase('app')
    const replication = await replicate(factory, server, options.replicasPerShard)
    return new ServerShard({ id: `shard-${number}`, database: 'app', server, ...replication })
  })
  // Waits for all before it fails with the first, so that nothing is still starting while it is being removed.
  await Promise.allSettled(starting)
  return await Promise.all(starting)
}

async function databasePerShard(factory: ServerFactory, options: ResolvedClusterOptions): Promise<LocalShard[]> {
  const server = await factory.startPrimary('server-1')
  const databases = numbers(options.shards).map((number) => ({ id: `shard-${number}`, database: `shard_${number}` }))
  for (const { database } of databases) await server.createDatabase(database)
  const replication = await replicate(factory, server, options.replicasPerShard)
  return databases.map((shard) => new ServerShard({ ...shard, server, ...replication }))
}

async function replicate(factory: ServerFactory, primary: LocalServer, count: number) {
  let made = 0
  const startReplica = () => factory.startReplica(`${primary.id}-replica-${++made}`, primary.id)
  const replicaServers: LocalServer[] = []
  for (const _ of numbers(count)) replicaServers.push(await startReplica())
  return { replicaServers, startReplica }
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1)
}
