import { type AnyTopology, isCitus, type Schema } from '@shardwright/core'
import type { EngineSource } from './engine-source.ts'
import type { AtomicMaker } from './hash/hash-engine.ts'
import { HashSource } from './hash/hash-source.ts'

/** The engine that a topology asks for; `atomic` makes transactions over shards where the engine has none of its own. */
export function engineSource(schema: Schema, topology: AnyTopology, atomic: AtomicMaker): EngineSource {
  if (isCitus(topology)) throw new Error('not yet')
  return new HashSource(schema, topology, atomic)
}
