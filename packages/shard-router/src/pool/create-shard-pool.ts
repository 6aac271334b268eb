import type { CommitToken, PgClient, Topology } from '@shardwright/core'
import { openClient } from './open-client.ts'
import { poolError } from './pool-error.ts'
import { type ResolvedPoolOptions, resolvePoolOptions, type ShardPoolOptions } from './pool-options.ts'
import { Server } from './server.ts'
import { serverAddresses } from './server-address.ts'
import type { ServerContext } from './server-context.ts'
import { sessionSettings } from './session-settings.ts'
import type { Lease, RunOptions, ShardPool, Statement, StatementResult } from './shard-pool.ts'

/**
 * All connections to all shards of a topology. Opens nothing until it is used.
 * @throws ConfigurationError INVALID_POOL_OPTIONS
 * @example
 * const pool = createShardPool(topology, { preset: 'production' })
 */
export function createShardPool(topology: Topology, options: ShardPoolOptions = {}): ShardPool {
  return new TopologyPool(topology, resolvePoolOptions(options))
}

interface Shard {
  readonly id: string
  readonly context: ServerContext
  readonly server: Server
}

class TopologyPool implements ShardPool {
  readonly #shards: readonly Shard[]

  constructor(topology: Topology, options: ResolvedPoolOptions) {
    const session = sessionSettings(options.timeZone)
    this.#shards = topology.shards.map((shard) => {
      const address = serverAddresses(shard.primary)[0]!
      const context: ServerContext = { ...options, shard: shard.id, role: 'primary', address, session }
      return { id: shard.id, context, server: new Server(context, options.size, options.lane, async () => {}) }
    })
  }

  execute(shard: number, statement: Statement, options?: RunOptions): Promise<StatementResult> {
    return this.#at(shard).server.execute(statement, options)
  }

  lease(shard: number, options?: RunOptions & { readonly access?: 'read' | 'write' }): Promise<Lease> {
    return this.#at(shard).server.lease(shard, options)
  }

  async direct(
    shard: number,
    options: { readonly applicationName?: string; readonly signal?: AbortSignal } = {},
  ): Promise<PgClient> {
    const { context } = this.#at(shard)
    const extras = { ...context, ...options, direct: true }
    return (await openClient(
      context.shard,
      context.address,
      context.session,
      extras,
      options.signal,
    )) as unknown as PgClient
  }

  async commitToken(shard: number): Promise<CommitToken> {
    const { id, server } = this.#at(shard)
    const { rows } = await server.execute({
      sql: `select pg_catalog.pg_current_wal_insert_lsn()::text as lsn,
        (select system_identifier from pg_catalog.pg_control_system())::text || ':' ||
        pg_catalog.substring(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 1, 8) as incarnation`,
      parameters: [],
      access: 'write',
      rows: 'objects',
    })
    const row = rows[0] as { lsn: string; incarnation: string }
    return { shard: id, lsn: row.lsn, incarnation: row.incarnation, epoch: 1 }
  }

  async close(): Promise<void> {
    await Promise.all(this.#shards.map((shard) => shard.server.close()))
  }

  #at(shard: number): Shard {
    const found = this.#shards[shard]
    if (found === undefined) throw poolError('SHARD_UNREACHABLE', `There is no shard number ${shard}.`)
    return found
  }
}
