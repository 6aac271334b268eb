import type { TopologyShard } from '@shardwright/core'
import { buildShard } from './build-shard.ts'
import { poolError } from './pool-error.ts'
import { PoolGauges } from './pool-gauges.ts'
import type { ResolvedPoolOptions } from './pool-options.ts'
import type { ShardList } from './shard-list.ts'
import type { ShardServers } from './shard-servers.ts'

/** The shards that are open, shared by the pools of successive topologies. */
export class ShardRegistry {
  readonly options: ResolvedPoolOptions
  readonly #shards = new Map<string, ShardServers>()
  readonly #gauges: PoolGauges
  /** Shards that a topology no longer names, until they are closed. */
  readonly #leaving = new Set<Promise<void>>()
  #epoch = 0
  #closing: Promise<void> | undefined

  constructor(options: ResolvedPoolOptions) {
    this.options = options
    this.#gauges = new PoolGauges(options.telemetry, () => this.all.flatMap((shard) => shard.servers))
  }

  get all(): readonly ShardServers[] {
    return [...this.#shards.values()]
  }

  /** The shards of a topology, in its order. One whose servers are the same as before is the same one. */
  shardsOf(topology: ShardList): readonly ShardServers[] {
    if (this.#closing !== undefined) throw poolError('POOL_CLOSED', 'The pool is closed.')
    this.#epoch = topology.epoch
    return Object.freeze(
      topology.shards.map((shard) => {
        const key = keyOf(topology, shard)
        const known = this.#shards.get(key)
        if (known !== undefined) return known
        const made = buildShard(topology.id, shard, this.options, () => this.#epoch)
        this.#shards.set(key, made)
        return made
      }),
    )
  }

  /** Closes what `topology` does not name; what runs there is finished first. */
  async keepOnly(topology: ShardList): Promise<void> {
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
