import { createFleet, type Fleet, type FleetConnection } from '@shardwright/core'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import pg from 'pg'
import { afterAll, beforeAll } from 'vitest'

let number = 0

/** One server for a test file; each test takes fresh databases from it. */
export function useServer(): { fleet(sql: string, shards?: number): Promise<Fleet> } {
  let cluster: LocalCluster | undefined
  beforeAll(async () => {
    cluster = await startLocalCluster({ shards: 1, startTimeoutMs: 120_000 })
  }, 180_000)
  afterAll(async () => {
    await cluster?.stop()
  }, 60_000)
  return {
    async fleet(sql, shards = 1) {
      const server = cluster?.servers[0]
      if (!server) throw new Error('the cluster is not started')
      const urls: string[] = []
      for (let at = 0; at < shards; at++) urls.push(await server.createDatabase(`v${process.pid}_${++number}`))
      const fleet = fleetOf(urls)
      for (const shard of fleet.shards) {
        await using connection = await shard.connect()
        await connection.script(sql)
      }
      return fleet
    },
  }
}

function fleetOf(urls: readonly string[]): Fleet {
  return createFleet({ shards: urls.map((url, at) => ({ id: `s${at + 1}`, url })), Client: pg.Client })
}

/** A fleet whose second shard does not answer. */
export function withDeadShard(fleet: Fleet): Fleet {
  const dead = createFleet({ shards: [{ id: 'dead', url: 'postgres://nobody@127.0.0.1:1/none' }], Client: pg.Client })
  return { topologyId: fleet.topologyId, shards: [...fleet.shards, ...dead.shards] }
}

export async function connect(fleet: Fleet, at = 0): Promise<FleetConnection> {
  const shard = fleet.shards[at]
  if (!shard) throw new Error(`no shard ${at}`)
  return await shard.connect()
}

export async function rowsOf<R = Record<string, unknown>>(fleet: Fleet, sql: string, at = 0): Promise<R[]> {
  await using connection = await connect(fleet, at)
  return (await connection.query<R>(sql)).rows
}

export async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 50))
}
