import { noTelemetry, type TelemetryAttributes } from '@shardwright/core'
import type { ResolvedPoolOptions } from './pool-options.ts'
import type { Server } from './server.ts'
import type { ShardServers } from './shard-servers.ts'

interface Wanting {
  readonly server: Server
  /** How many connections one process may open to it. */
  readonly connections: number
}

function wantedBy(shard: ShardServers, options: ResolvedPoolOptions): readonly Wanting[] {
  // A server that is one of several is looked at now and then, on a connection kept for that.
  const probes = shard.servers.length > 1 ? 1 : 0
  return shard.servers.map((server) => {
    const size = server.context.role === 'primary' ? options.size : options.replicaSize
    const lane = server.pipelined === undefined ? 0 : options.lane.maxClients
    return { server, connections: size.maximum + size.overflow + lane + probes }
  })
}

interface LimitRow {
  readonly limit: number
}

// reserved_connections came with PostgreSQL 16.
const limitSql = `select least(pg_catalog.current_setting('max_connections')::int
  - pg_catalog.current_setting('superuser_reserved_connections')::int
  - coalesce(pg_catalog.current_setting('reserved_connections', true)::int, 0),
  (select nullif(r.rolconnlimit, -1) from pg_catalog.pg_roles r where r.rolname = current_user)) as limit`

/**
 * Compares what all processes together may open with what each server allows, and says so with the sum before the first
 * busy hour does. Several shards may live on one server (host and port).
 */
export async function checkConnectionLimits(
  shards: readonly ShardServers[],
  options: ResolvedPoolOptions,
): Promise<readonly string[]> {
  const byHost = new Map<string, Wanting[]>()
  for (const wanting of shards.flatMap((shard) => wantedBy(shard, options))) {
    const host = hostOf(wanting.server.context.address.label)
    byHost.set(host, [...(byHost.get(host) ?? []), wanting])
  }
  const warnings: string[] = []
  for (const [host, wanting] of byHost) {
    const limit = await limitOf(wanting[0]!.server)
    if (limit === undefined) continue
    const perProcess = wanting.reduce((sum, { connections }) => sum + connections, 0)
    const { maxConnections = Number.POSITIVE_INFINITY } = options
    const total = Math.min(perProcess, maxConnections) * options.processes
    if (total <= limit) continue
    const parts = wanting.map(({ connections }) => connections).join(' + ')
    const warning =
      `${host} allows ${limit} connections, but ${options.processes} process(es) x ${maxConnections < perProcess ? maxConnections : `(${parts})`} = ${total} may be opened. ` +
      'Lower maxConnections, size.maximum, size.overflow or lane.maxClients, or raise max_connections.'
    warn(options, warning, { server: host, limit, total })
    warnings.push(warning)
  }
  return warnings
}

/** Without the database; a socket's folder has slashes too. */
function hostOf(label: string): string {
  return label.replace(/\/[^/]*$/, '')
}

// Where nobody listens, the process itself says it: what is over the limit fails in the first busy hour.
function warn({ telemetry }: ResolvedPoolOptions, warning: string, attributes: TelemetryAttributes): void {
  if (telemetry === noTelemetry) process.emitWarning(warning, 'ShardwrightWarning', 'CONNECTION_LIMIT')
  else telemetry.log('warn', warning, attributes)
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
