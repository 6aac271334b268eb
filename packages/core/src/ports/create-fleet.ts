import { z } from 'zod'
import { type AnyTopology, isCitus } from '../citus/citus-topology.ts'
import { ConfigurationError } from '../errors/configuration-error.ts'
import { ConnectionError } from '../errors/connection-error.ts'
import { addressOf } from '../topology/server-address.ts'
import { splitHosts } from '../topology/server-hosts.ts'
import type { TopologyServer } from '../topology/topology.ts'
import type { Fleet, FleetConnectOptions, FleetShard } from './fleet.ts'
import { openPrimary } from './open-primary.ts'
import type { PgClient } from './pg-client.ts'

/** The part of `pg.Client`'s constructor that a fleet needs: pass `pg.Client` itself. */
export type PgClientConstructor = new (config: PgClientConfig) => PgClient

export interface PgClientConfig {
  connectionString: string
  application_name: string
  connectionTimeoutMillis: number
  keepAlive: boolean
}

export interface FleetOptions {
  /** Names the database in reports and lock names. Default: `default`. */
  readonly topologyId?: string | undefined
  /**
   * In the order of the topology. `url` goes to the primary itself, past any pooler; of several hosts in it the primary is
   * chosen.
   */
  readonly shards: readonly { readonly id: string; readonly url: string }[]
  /** `pg.Client`. */
  readonly Client: PgClientConstructor
  /** How long one connect may take, milliseconds. Default: 10000. */
  readonly connectTimeoutMs?: number | undefined
}

const optionsShape = z.strictObject({
  topologyId: z.string().min(1).default('default'),
  shards: z.array(z.strictObject({ id: z.string().min(1), url: z.string().min(1) })).min(1),
  Client: z.custom<PgClientConstructor>((value) => typeof value === 'function', 'pass pg.Client'),
  connectTimeoutMs: z.number().int().positive().default(10_000),
})

/**
 * Makes a fleet from the URLs of its primaries, for work without a router: migrations, partitions, recovery.
 * Opens nothing until a shard's `connect`.
 * @throws ConfigurationError INVALID_OPTIONS, DUPLICATE_FLEET_SHARD; TopologyError INVALID_SHARD_URL
 * @example
 * const fleet = createFleet({ shards: [{ id: 'shard-1', url: 'postgres://app@db1/festival' }], Client: pg.Client })
 * await using connection = await fleet.shards[0].connect()
 */
export function createFleet(options: FleetOptions): Fleet {
  const parsed = optionsShape.safeParse(options)
  if (!parsed.success) {
    throw new ConfigurationError({
      code: 'INVALID_OPTIONS',
      message: `createFleet's options are not usable: ${z.prettifyError(parsed.error)}`,
      hint: 'Pass { shards: [{ id, url }], Client: pg.Client }.',
    })
  }
  const { topologyId, shards, Client, connectTimeoutMs } = parsed.data
  refuseDuplicateIds(shards.map((shard) => shard.id))
  return Object.freeze({
    topologyId,
    shards: Object.freeze(shards.map(({ id, url }) => fleetShard(id, url, Client, connectTimeoutMs))),
  })
}

/**
 * The fleet of a topology's primaries, by their direct URLs. A Citus cluster is a fleet of one: its coordinator. A shard
 * that is known by its pooler alone, one in transaction mode, refuses connections: ConnectionError DIRECT_URL_MISSING.
 * @example
 * const fleet = fleetOf(topology, pg.Client)
 */
export function fleetOf(topology: AnyTopology, Client: PgClientConstructor): Fleet {
  const servers = isCitus(topology)
    ? [{ id: 'coordinator', primary: topology.coordinator }]
    : topology.shards.map(({ id, primary }) => ({ id, primary }))
  const shards = servers.map(({ id, primary }) => ({ id, url: primary.directUrl }))
  const fleet = createFleet({ topologyId: topology.id, shards, Client })
  return Object.freeze({
    ...fleet,
    shards: Object.freeze(fleet.shards.map((shard, index) => pastPooler(shard, servers[index]?.primary))),
  })
}

/** A pooler in transaction mode gives the session of a migration's lock to whoever comes next. */
function pastPooler(shard: FleetShard, server: TopologyServer | undefined): FleetShard {
  if (server?.pooler !== 'pgbouncer-transaction' || server.directUrl !== server.url) return shard
  const refusal = () =>
    new ConnectionError({
      code: 'DIRECT_URL_MISSING',
      message: `Shard '${shard.id}' (${shard.address}) can be reached through a pooler in transaction mode alone.`,
      hint: 'Give its server a `directUrl` past the pooler.',
      details: { shard: shard.id, address: shard.address },
    })
  return Object.freeze({ ...shard, connect: () => Promise.reject(refusal()) })
}

function refuseDuplicateIds(ids: readonly string[]): void {
  const twice = ids.find((id, index) => ids.indexOf(id) !== index)
  if (twice === undefined) return
  throw new ConfigurationError({
    code: 'DUPLICATE_FLEET_SHARD',
    message: `Two shards of the fleet are called '${twice}'.`,
    hint: 'Give every shard an id of its own.',
    details: { shard: twice },
  })
}

function fleetShard(id: string, url: string, Client: PgClientConstructor, connectTimeoutMs: number): FleetShard {
  const address = addressOf(url, `shard '${id}'`)
  return Object.freeze({
    id,
    address,
    connect: (options: FleetConnectOptions = {}) => {
      const candidates = splitHosts(url).map(
        (connectionString) => () =>
          new Client({
            connectionString,
            application_name: options.applicationName ?? 'shardwright',
            connectionTimeoutMillis: connectTimeoutMs,
            keepAlive: true,
          }),
      )
      return openPrimary({ id, address, candidates, signal: options.signal })
    },
  })
}
