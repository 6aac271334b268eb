import type { Fleet, FleetConnection } from '@shardwright/core'
import { fleetOfUrls } from './fleet-of-urls.ts'

/** A running Citus cluster; without it the suites that need one are skipped. */
export const citusUrl = process.env.CITUS_URL

/** A fresh database on every node of the cluster, joined to one Citus; the fleet is its coordinator. */
export async function citusDatabase(url: string, extensions: readonly string[] = []): Promise<CitusDatabase> {
  const name = `t${process.pid}_${Date.now().toString(36)}`
  await using first = await connect(url)
  const { rows } = await first.query<{ host: string; port: number; coordinator: boolean; shards: boolean }>(
    `select nodename as host, nodeport as port, groupid = 0 as coordinator, shouldhaveshards as shards
       from pg_dist_node where noderole = 'primary' and isactive order by groupid`,
  )
  const urls = rows.map(({ host, port }) => Object.assign(new URL(url), { hostname: host, port: String(port) }).href)
  for (const node of urls) {
    await using connection = await connect(node)
    await connection.query(`create database ${name}`)
    await using made = await connect(Object.assign(new URL(node), { pathname: `/${name}` }).href)
    for (const extension of ['citus', ...extensions]) await made.query(`create extension ${extension}`)
  }
  const coordinator = Object.assign(new URL(url), { pathname: `/${name}` }).href
  await using joined = await connect(coordinator)
  for (const row of rows) {
    const join = row.coordinator ? 'citus_set_coordinator_host' : 'citus_add_node'
    await joined.query(`select ${join}($1, $2::int)`, [row.host, row.port])
  }
  return new CitusDatabase(name, urls, coordinator)
}

export class CitusDatabase {
  readonly url: string
  readonly fleet: Fleet
  readonly #name: string
  readonly #nodes: readonly string[]

  constructor(name: string, nodes: readonly string[], url: string) {
    this.#name = name
    this.#nodes = nodes
    this.url = url
    this.fleet = fleetOfUrls([url])
  }

  async connect(): Promise<FleetConnection> {
    return await connect(this.url)
  }

  async drop(): Promise<void> {
    for (const node of this.#nodes) {
      await using connection = await connect(node)
      await connection.query(`drop database if exists ${this.#name} with (force)`)
    }
  }
}

async function connect(url: string): Promise<FleetConnection> {
  const shard = fleetOfUrls([url]).shards[0]
  if (!shard) throw new Error('unreachable: a fleet of one')
  return await shard.connect()
}
