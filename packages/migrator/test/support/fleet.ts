import { createFleet, type Fleet, type FleetConnection } from '@shardwright/core'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import pg from 'pg'

let counter = 0

/** Fresh, empty databases of one server as a fleet. */
export async function freshFleet(cluster: LocalCluster, shards: number): Promise<Fleet> {
  return createFleet({ shards: await freshShards(cluster, shards), Client: pg.Client })
}

export async function freshShards(cluster: LocalCluster, shards: number): Promise<{ id: string; url: string }[]> {
  const server = cluster.servers[0]
  if (!server) throw new Error('no server')
  const run = ++counter
  const made: { id: string; url: string }[] = []
  for (let index = 1; index <= shards; index++) {
    made.push({ id: `shard-${index}`, url: await server.createDatabase(`m${run}_${index}`) })
  }
  return made
}

export async function startServer(): Promise<LocalCluster> {
  return await startLocalCluster({ shards: 1, databasePerShard: true })
}

/** Runs SQL on one shard, on a connection of its own. */
export async function on<R = Record<string, unknown>>(fleet: Fleet, shard: string, sql: string): Promise<R[]> {
  await using connection = await connectTo(fleet, shard)
  // Whoever the cluster's user is: "$user" may name a schema.
  await connection.query('set search_path = public')
  return (await connection.query<R>(sql)).rows
}

export async function connectTo(fleet: Fleet, shard: string): Promise<FleetConnection> {
  const found = fleet.shards.find((candidate) => candidate.id === shard)
  if (!found) throw new Error(`no shard ${shard}`)
  return await found.connect()
}
