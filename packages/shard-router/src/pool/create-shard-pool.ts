import type { CommitToken, PgClient } from '@shardwright/core'
import { inCallContext } from './call-context.ts'
import { checkConnectionLimits } from './connection-limits.ts'
import { GatedLease } from './gated-lease.ts'
import { poolError } from './pool-error.ts'
import { resolvePoolOptions, type ShardPoolOptions } from './pool-options.ts'
import { isUnreachable } from './safe-again.ts'
import type { Server } from './server.ts'
import type { ShardList } from './shard-list.ts'
import type {
  Lease,
  LeaseOptions,
  PreparedTopology,
  RunOptions,
  ShardPool,
  SpanningLimit,
  Statement,
  StatementResult,
} from './shard-pool.ts'
import { ShardRegistry } from './shard-registry.ts'
import type { ShardServers } from './shard-servers.ts'
import type { TopologyGate } from './topology-gate.ts'

/**
 * All connections to all shards of a topology. Opens nothing until it is used.
 * @throws ConfigurationError INVALID_POOL_OPTIONS
 * @example
 * const pool = createShardPool(topology, { preset: 'production', replicas: { reads: { maxLagMs: 500 } } })
 */
export function createShardPool<List extends ShardList>(
  topology: List,
  options: ShardPoolOptions = {},
): ShardPool<List> {
  return new TopologyPool(topology, new ShardRegistry(resolvePoolOptions(options)))
}

async function gated<T>(gate: TopologyGate, shard: string, epoch: number, work: () => Promise<T>): Promise<T> {
  gate.check(shard)
  const leave = gate.enter(epoch)
  try {
    const result = await work()
    gate.check(shard, true)
    return result
  } finally {
    leave()
  }
}

function sameDatabase(owner: ShardServers, shard: ShardServers): Error {
  const { label } = shard.primary.context.address
  const message = `${label} should be shard '${shard.id}', but it is the database of shard '${owner.id}', ${owner.primary.context.address.label}.`
  return poolError('WRONG_SHARD', message, { shard: shard.id, server: label, details: { sent: false } })
}

class TopologyPool<List extends ShardList> implements ShardPool<List> {
  readonly topology: List
  readonly #registry: ShardRegistry
  readonly #shards: readonly ShardServers[]

  constructor(topology: List, registry: ShardRegistry) {
    this.topology = topology
    this.#registry = registry
    this.#shards = registry.shardsOf(topology)
  }

  get spanningLimit(): SpanningLimit {
    const { size, maxConnections } = this.#registry.options
    const shards = this.#shards.length
    const ofOne = size.maximum + size.overflow
    // A connection of each server's lane, and one for each to be looked at.
    const servers = this.#shards.reduce((sum, shard) => sum + shard.servers.length, 0)
    const shared = maxConnections === undefined ? ofOne : Math.floor((maxConnections - 2 * servers) / shards)
    return { transactions: Math.max(1, Math.min(ofOne, shared)), acquireTimeoutMs: size.acquireTimeoutMs }
  }

  execute(shard: number, statement: Statement, given?: RunOptions): Promise<StatementResult> {
    const servers = this.#at(shard)
    const options = inCallContext(given)
    const { gate } = this.#registry.options
    if (gate === undefined || options?.withoutLease === true) return servers.execute(statement, options)
    return gated(gate, servers.id, this.topology.epoch, () => servers.execute(statement, options))
  }

  async lease(shard: number, given?: LeaseOptions): Promise<Lease> {
    const servers = this.#at(shard)
    const options = inCallContext(given)
    const { gate } = this.#registry.options
    if (gate === undefined) return await servers.lease(shard, options)
    gate.check(servers.id)
    const leave = gate.enter(this.topology.epoch)
    try {
      return new GatedLease(await servers.lease(shard, options), gate, servers.id, leave)
    } catch (error) {
      leave()
      throw error
    }
  }

  async direct(
    shard: number,
    options: { readonly applicationName?: string; readonly signal?: AbortSignal } = {},
  ): Promise<PgClient> {
    return (await this.#at(shard).direct(options)) as unknown as PgClient
  }

  isReachable(shard: number): boolean {
    return this.#at(shard).primary.guard.closed
  }

  commitToken(shard: number): Promise<CommitToken> {
    return this.#at(shard).commitToken()
  }

  async warm(needs: (shard: number) => boolean = () => true): Promise<void> {
    // Primaries first: a replica is held against its primary.
    await Promise.all(
      this.#shards.map(({ primary }, index) => (needs(index) ? primary.warm() : this.#warmSpare(primary))),
    )
    const replicas = this.#shards.flatMap((shard) => shard.servers.filter((server) => server !== shard.primary))
    await Promise.all(replicas.map((replica) => this.#warmSpare(replica)))
    await checkConnectionLimits(this.#shards, this.#registry.options)
  }

  // A server whose work another does is missed by nobody while it is down. One that is the wrong one is an error.
  async #warmSpare(server: Server): Promise<void> {
    const { role, address, shard } = server.context
    try {
      await server.warm()
    } catch (error) {
      if (!isUnreachable(error) && (error as { code?: unknown }).code !== 'CIRCUIT_OPEN') throw error
      const attributes = { shard, server: address.label }
      this.#registry.options.telemetry.log('warn', `${role} ${address.label}: ${(error as Error).message}`, attributes)
    }
  }

  replaceTopology(next: List): { readonly pool: ShardPool<List>; readonly drained: Promise<void> } {
    const { pool, adopt } = this.prepareTopology(next)
    return { pool, drained: adopt() }
  }

  prepareTopology(next: List): PreparedTopology<List> {
    const registry = this.#registry
    const pool = new TopologyPool(next, registry)
    return { pool, adopt: () => registry.adopt(next), discard: () => registry.discard() }
  }

  assertDistinct(): void {
    const owners = new Map<string, ShardServers>()
    for (const shard of this.#shards) {
      const { database } = shard
      if (database === undefined) continue
      const owner = owners.get(database)
      if (owner !== undefined) throw sameDatabase(owner, shard)
      owners.set(database, shard)
    }
  }

  forgetStatements(): void {
    for (const shard of this.#shards) shard.primary.context.names.next()
  }

  close(): Promise<void> {
    return this.#registry.close()
  }

  #at(shard: number): ShardServers {
    const found = this.#shards[shard]
    if (found === undefined) throw poolError('SHARD_UNREACHABLE', `The topology has no shard number ${shard}.`)
    return found
  }
}
