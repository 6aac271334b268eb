import type { AnyTopology, Schema } from '@shardwright/core'
import type { UnreadShards } from '../catalog/unread-shards.ts'
import type { Catalog } from '../plan/catalog.ts'
import type { ShardList } from '../pool/shard-list.ts'
import type { AnyShardPool } from '../pool/shard-pool.ts'
import type { Engine } from './engine.ts'

/** What is known once the servers were asked; all of it belongs together. */
export interface LoadedEngine {
  readonly engine: Engine
  readonly catalog: Catalog
  readonly pool: AnyShardPool
  /** Shards that could not be reached. */
  readonly unread?: UnreadShards
}

/** Makes an engine out of what the router was given, and follows what changes by itself. */
export interface EngineSource {
  readonly topology: AnyTopology
  /** The schema, with its single tables where this engine has them. */
  readonly schema: Schema
  /** The servers that are known before any was asked. */
  readonly shards: ShardList
  /** @throws RoutingError UNKNOWN_SHARD, unless it may turn out to be there */
  checkShard(id: string): void
  /**
   * Asks the servers; one that cannot be reached is left out, unless there is no other. `patiently`: also when others have
   * answered long ago, every one is waited for. `pool` is the router's until now; the one in the result is the next.
   * @throws RoutingError CATALOG_MISMATCH, KEY_COLUMN_UNSUITABLE; ConnectionError SHARD_UNREACHABLE
   */
  load(pool: AnyShardPool, patiently: boolean): Promise<LoadedEngine>
  /**
   * The source for another topology, loaded, with all its shards. Nothing that the present one needs is closed before `drain`.
   * @throws TopologyError TOPOLOGY_CONFLICT, and as `load`
   */
  replace(next: AnyTopology, pool: AnyShardPool): Promise<ReplacedEngine>
  /** Calls back with each change that the servers make by themselves, until it is stopped. */
  follow(loaded: LoadedEngine, changed: (next: LoadedEngine) => void): { stop(): Promise<void> }
}

export interface ReplacedEngine {
  readonly source: EngineSource
  readonly loaded: LoadedEngine
  /** Called when new work uses it: resolves when nothing runs on what left. */
  drain(): Promise<void>
}
