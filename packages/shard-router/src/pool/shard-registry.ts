import type { TopologyShard } from '@shardwright/core'
import { buildShard } from './build-shard.ts'
import { ConnectionBudget } from './connection-budget.ts'
import { poolError, poolOptionsError } from './pool-error.ts'
import { PoolGauges } from './pool-gauges.ts'
import type { ResolvedPoolOptions } from './pool-options.ts'
import type { ShardList } from './shard-list.ts'
import type { ShardServers } from './shard-servers.ts'

/** The shards that are open, shared by the pools of successive topologies. */
export class ShardRegistry {
  readonly options: ResolvedPoolOptions
  readonly #shards = new Map<string, ShardServers>()
  readonly #gauges: PoolGauges
  readonly #budget: ConnectionBudget | undefined
  /** Shards that a topology no longer names, until they are closed. */
  readonly #leaving = new Set<Promise<void>>()
  /** What is routed by. */
  #current: ShardList | undefined
  #closing: Promise<void> | undefined

  constructor(options: ResolvedPoolOptions) {
    this.options = options
    const { maxConnections, clock } = options
    this.#budget = maxConnections === undefined ? undefined : new ConnectionBudget(maxConnections, clock)
    this.#gauges = new PoolGauges(options.telemetry, () => this.all.flatMap((shard) => shard.servers))
  }

  get all(): readonly ShardServers[] {
    return [...this.#shards.values()]
  }

  /** The shards of a topology, in its order. One whose servers are the same as before is the same one. */
  shardsOf(topology: ShardList): readonly ShardServers[] {
    if (this.#closing !== undefined) throw poolError('POOL_CLOSED', 'The pool is closed.')
    this.#checkRoom(topology)
    this.#current ??= topology
    return Object.freeze(
      topology.shards.map((shard) => {
        const key = keyOf(topology, shard)
        const known = this.#shards.get(key)
        if (known !== undefined) return known
        const made = buildShard(topology.id, shard, this.options, () => this.#current?.epoch ?? 0, this.#budget)
        this.#shards.set(key, made)
        return made
      }),
    )
  }

  // With less, a server could not get a connection of each kind, however idle the others are.
  #checkRoom(topology: ShardList): void {
    const { maxConnections } = this.options
    if (maxConnections === undefined) return
    const servers = topology.shards.reduce((sum, shard) => sum + 1 + shard.replicas.length, 0)
    const probed = servers > topology.shards.length ? servers : 0
    const needed = servers * 2 + probed
    if (maxConnections >= needed) return
    throw poolOptionsError(
      `Pool options: maxConnections is ${maxConnections}; these ${servers} servers need ${needed}.`,
    )
  }

  /** Routes by `topology` from now on, and closes what it does not name; what runs there is finished first. */
  async adopt(topology: ShardList): Promise<void> {
    this.#current = topology
    await this.#keepOnly(topology)
  }

  /** Closes what only a topology that did not come names. */
  async discard(): Promise<void> {
    if (this.#current !== undefined) await this.#keepOnly(this.#current)
  }

  async #keepOnly(topology: ShardList): Promise<void> {
    const keys = new Set(topology.shards.map((shard) => keyOf(topology, shard)))
    const removed = [...this.#shards].filter(([key]) => !keys.has(key))
    for (const [key] of removed) this.#shards.delete(key)
    const leaving = Promise.all(removed.map(([, shard]) => shard.close())).then(() => {})
    this.#leaving.add(leaving)
    await leaving.finally(() => this.#leaving.delete(leaving))
  }

  /** Every caller waits for the same end. */
  close(): Promise<void> {
    this.#closing ??= this.#closeAll()
    return this.#closing
  }

  async #closeAll(): Promise<void> {
    this.#gauges.stop()
    const shards = this.all
    this.#shards.clear()
    await Promise.all([...shards.map((shard) => shard.close()), ...this.#leaving])
  }
}

function keyOf(topology: ShardList, shard: TopologyShard): string {
  const servers = [shard.primary, ...shard.replicas].map((server) => [
    server.url,
    server.directUrl,
    server.pooler,
    server.preparedStatements,
    server.weight,
  ])
  return JSON.stringify([topology.id, shard.id, servers])
}
