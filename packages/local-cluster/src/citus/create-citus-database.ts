import { randomBytes } from 'node:crypto'
import { quoteIdentifier } from '../postgres/identifier.ts'
import { withClient } from '../postgres/with-client.ts'
import type { CitusDatabase } from './citus-cluster.ts'

/** A node as the cluster names it, and how it is reached from here. */
export interface CitusNodeUrl {
  readonly name: string
  readonly host: string
  readonly port: number
  readonly coordinator: boolean
  readonly url: string
}

/** Creates a database with the extension on every node, and makes the nodes known to the coordinator's. */
export async function createCitusDatabase(nodes: readonly CitusNodeUrl[]): Promise<CitusDatabase> {
  const name = `citus_${randomBytes(6).toString('hex')}`
  const plain = `${name}_plain`
  const coordinator = nodes.find((node) => node.coordinator) as CitusNodeUrl
  await Promise.all(nodes.map((node) => createExtended(node.url, name)))
  await run(coordinator.url, `create database ${quoteIdentifier(plain)}`)
  await withClient(urlOf(coordinator.url, name), async (client) => {
    await client.query('select citus_set_coordinator_host($1, $2)', [coordinator.host, coordinator.port])
    for (const { host, port } of nodes.filter((node) => !node.coordinator)) {
      await client.query('select citus_add_node($1, $2)', [host, port])
    }
  })
  const urls = Object.freeze(Object.fromEntries(nodes.map((node) => [node.name, urlOf(node.url, name)])))
  const url = urlOf(coordinator.url, name)
  let dropped: Promise<void> | undefined
  const drop = () => {
    dropped ??= dropAll()
    return dropped
  }
  const dropAll = async () => {
    await dropDatabase(coordinator.url, plain)
    // The coordinator first: its daemon talks to the others.
    for (const node of [coordinator, ...nodes.filter((other) => other !== coordinator)]) {
      await dropSubscriptions(urlOf(node.url, name))
      await dropDatabase(node.url, name)
    }
  }
  return Object.freeze({
    url,
    nodes: urls,
    plainUrl: urlOf(coordinator.url, plain),
    topologyInput: () => ({ engine: 'citus', coordinator: url, nodes: urls }) as const,
    drop,
    [Symbol.asyncDispose]: drop,
  })
}

/** Citus' daemon may come back between the end of the sessions and the drop: it is ended again. */
async function dropDatabase(url: string, name: string): Promise<void> {
  for (let tries = 5; ; tries--) {
    try {
      await run(url, `drop database if exists ${quoteIdentifier(name)} with (force)`)
      return
    } catch (error) {
      if (tries === 1 || (error as { code?: unknown }).code !== inUse) throw error
    }
  }
}

const inUse = '55006'

/** A move that was interrupted leaves subscriptions, which keep their database alive. */
async function dropSubscriptions(url: string): Promise<void> {
  await withClient(url, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      `select quote_ident(subname) as name from pg_subscription
       where subdbid = (select oid from pg_database where datname = current_database())`,
    )
    for (const { name } of rows) {
      await client.query(`alter subscription ${name} disable`)
      await client.query(`alter subscription ${name} set (slot_name = none)`)
      await client.query(`drop subscription ${name}`)
    }
  })
}

async function createExtended(url: string, name: string): Promise<void> {
  await run(url, `create database ${quoteIdentifier(name)}`)
  await run(urlOf(url, name), 'create extension citus')
}

async function run(url: string, sql: string): Promise<void> {
  await withClient(url, (client) => client.query(sql))
}

function urlOf(url: string, database: string): string {
  const other = new URL(url)
  other.pathname = `/${database}`
  return other.href
}
