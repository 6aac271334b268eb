import { type AnyTopology, type Clock, isCitus, type Schema, type Topology } from '@shardwright/core'
import { emptyCatalog, loadCatalog } from '../../catalog/load-catalog.ts'
import { shardIndex } from '../../execute/route.ts'
import type { AnyShardPool } from '../../pool/shard-pool.ts'
import type { EngineSource, LoadedEngine, ReplacedEngine } from '../engine-source.ts'
import { soleShardOf } from '../sole-shard.ts'
import { topologyConflict } from '../topology-conflict.ts'
import { type AtomicMaker, HashEngine } from './hash-engine.ts'

export interface HashSourceOptions {
  readonly clock: Clock
  readonly atomic: AtomicMaker
}

/** Shards as the topology names them; they change by `replace` alone. */
export class HashSource implements EngineSource {
  readonly topology: Topology
  readonly schema: Schema
  readonly #options: HashSourceOptions

  constructor(schema: Schema, topology: Topology, options: HashSourceOptions) {
    this.schema = schema
    this.topology = topology
    this.#options = options
  }

  get shards(): Topology {
    return this.topology
  }

  checkShard(id: string): void {
    shardIndex(this.topology, id)
  }

  async load(pool: AnyShardPool, patiently: boolean): Promise<LoadedEngine> {
    const sole = soleShardOf(this.schema)
    const loaded = sole
      ? { catalog: await emptyCatalog(sole, pool) }
      : await loadCatalog(this.schema, this.topology, pool, patiently ? undefined : this.#options.clock)
    pool.assertDistinct()
    return { engine: new HashEngine(this.topology, this.#options.atomic), pool, ...loaded }
  }

  async replace(next: AnyTopology, pool: AnyShardPool): Promise<ReplacedEngine> {
    const source = new HashSource(this.schema, successorOf(this.topology, next), this.#options)
    const prepared = pool.prepareTopology(source.topology)
    try {
      const loaded = await source.load(prepared.pool, true)
      for (const reason of loaded.unread?.reasons.values() ?? []) throw reason
      return { source, loaded, drain: () => prepared.adopt() }
    } catch (error) {
      await prepared.discard()
      throw error
    }
  }

  follow(): { stop(): Promise<void> } {
    return { stop: async () => {} }
  }
}

/** Keys stay in their buckets for ever: only shards, the bucket map and pins may change. */
function successorOf(current: Topology, next: AnyTopology): Topology {
  const fault = isCitus(next)
    ? 'it is a Citus cluster, and this router runs on shards'
    : next.id !== current.id
      ? `it is topology '${next.id}', and this router runs '${current.id}'`
      : next.hash !== current.hash || next.buckets !== current.buckets
        ? 'hash and number of buckets cannot change'
        : next.epoch <= current.epoch
          ? `its epoch ${next.epoch} is not after ${current.epoch}`
          : undefined
  if (fault === undefined && !isCitus(next)) return next
  throw topologyConflict(
    String(fault),
    'Change shards, bucketMap or pins of the current topology, and raise its epoch.',
  )
}
