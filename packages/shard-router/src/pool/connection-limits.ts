import type { ResolvedPoolOptions } from './pool-options.ts'
import type { Server } from './server.ts'
import type { ShardServers } from './shard-servers.ts'

/** How many connections one process may open to the server behind an address. */
export function connectionsWanted(server: Server, options: ResolvedPoolOptions): number {
  const size = server.context.role === 'primary' ? options.size : options.replicaSize
  return size.maximum + size.overflow + (server.pipelined === undefined ? 0 : options.lane.maxClients)
}

interface LimitRow {
  readonly limit: number
}

const limitSql = `select pg_catalog.current_setting('max_connections')::int
  - pg_catalog.current_setting('superuser_reserved_connections')::int as limit`

/**
 * Compares what all processes together may open with what each server allows, and says so with the sum before the first
 * busy hour does. Several shards may live on one server (host and port).
 */
export async function checkConnectionLimits(
  shards: readonly ShardServers[],
  options: ResolvedPoolOptions,
): Promise<readonly string[]> {
  const byHost = new Map<string, Server[]>()
  for (const server of shards.flatMap((shard) => shard.servers)) {
    const host = server.context.address.label.replace(/\/.*$/, '')
    byHost.set(host, [...(byHost.get(host) ?? []), server])
  }
  const warnings: string[] = []
  for (const [host, servers] of byHost) {
    const limit = await limitOf(servers[0]!)
    if (limit === undefined) continue
    const perProcess = servers.reduce((sum, server) => sum + connectionsWanted(server, options), 0)
    const { maxConnections = Number.POSITIVE_INFINITY } = options
    const total = Math.min(perProcess, maxConnections) * options.processes
    if (total <= limit) continue
    const parts = servers.map((server) => connectionsWanted(server, options)).join(' + ')
    const warning =
      `${host} allows ${limit} connections, but ${options.processes} process(es) x ${maxConnections < perProcess ? maxConnections : `(${parts})`} = ${total} may be opened. ` +
      'Lower maxConnections, size.maximum, size.overflow or lane.maxClients, or raise max_connections.'
    options.telemetry.log('warn', warning, { server: host, limit, total })
    warnings.push(warning)
  }
  return warnings
}

async function limitOf(server: Server): Promise<number | undefined> {
  // max_connections of the server says nothing about what a pooler in front of it admits.
  if (server.context.address.pooler !== 'direct') return undefined
  try {
    const { rows } = await server.execute({ sql: limitSql, parameters: [], access: 'read', rows: 'facts' })
    return (rows[0] as LimitRow).limit
  } catch {
    // A replica that is down now: whoever needs the server is told why it fails.
    return undefined
  }
}
