import type { Fleet, FleetConnection } from '@shardwright/core'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { afterAll, beforeAll } from 'vitest'
import { fleetOfUrls } from './fleet-of-urls.ts'

export { fleetOfUrls } from './fleet-of-urls.ts'

let number = 0

/** Runs the suite against a server of another version: `SHARDWRIGHT_PARTITIONS_URL=postgres://...`. */
const otherServer = process.env.SHARDWRIGHT_PARTITIONS_URL

async function createElsewhere(url: string, count: number): Promise<string[]> {
  await using connection = await connect(fleetOfUrls([url]))
  const urls: string[] = []
  for (let at = 0; at < count; at++) {
    const name = `t${process.pid}_${Date.now().toString(36)}_${++number}`
    await connection.query(`create database ${name}`)
    urls.push(Object.assign(new URL(url), { pathname: `/${name}` }).href)
  }
  return urls
}

/** A cluster for a test file; each test takes fresh databases from it. */
export class TestServer {
  #cluster: LocalCluster | undefined

  get cluster(): LocalCluster {
    if (!this.#cluster) throw new Error('the cluster is not started')
    return this.#cluster
  }

  async start(settings: Record<string, string | number> = {}): Promise<void> {
    if (otherServer) return
    this.#cluster = await startLocalCluster({ shards: 1, settings, startTimeoutMs: 120_000 })
  }

  async stop(): Promise<void> {
    await this.#cluster?.stop()
  }

  /** URLs of fresh databases. */
  async databases(count = 1): Promise<string[]> {
    if (otherServer) return await createElsewhere(otherServer, count)
    const server = this.cluster.servers[0]
    if (!server) throw new Error('the cluster has no server')
    const urls: string[] = []
    for (let at = 0; at < count; at++) urls.push(await server.createDatabase(`t${process.pid}_${++number}`))
    return urls
  }

  /** A fleet over fresh databases, prepared by `sql`. */
  async fleet(sql: string, shards = 1): Promise<Fleet> {
    const fleet = fleetOfUrls(await this.databases(shards))
    for (const shard of fleet.shards) {
      await using connection = await shard.connect()
      await connection.script(sql)
    }
    return fleet
  }
}

export function useServer(settings: Record<string, string | number> = {}): TestServer {
  const server = new TestServer()
  beforeAll(() => server.start(settings), 180_000)
  afterAll(() => server.stop(), 60_000)
  return server
}

export async function connect(fleet: Fleet, at = 0): Promise<FleetConnection> {
  const shard = fleet.shards[at]
  if (!shard) throw new Error(`no shard ${at}`)
  return await shard.connect()
}

/** `[name, bound]` of all partitions of a table, ordered by bound, in UTC. */
export async function partitionsOf(connection: FleetConnection, table: string): Promise<[string, string][]> {
  await connection.script("set timezone to 'UTC'; set datestyle to 'ISO, YMD'; set search_path to public")
  const { rows } = await connection.query<{ name: string; bound: string }>(
    `select c.relname as name, pg_get_expr(c.relpartbound, c.oid) as bound
       from pg_inherits i join pg_class c on c.oid = i.inhrelid
      where i.inhparent = $1::regclass order by 2, 1`,
    [table],
  )
  return rows.map((row) => [row.name, row.bound])
}

export async function scalar<T = string>(connection: FleetConnection, sql: string): Promise<T> {
  const { rows } = await connection.query<Record<string, T>>(sql)
  return Object.values(rows[0] ?? {})[0] as T
}
