import { type AnyTopology, type Clock, isCitus, type Schema, type Telemetry } from '@shardwright/core'
import { CitusSource } from './citus/citus-source.ts'
import type { EngineSource } from './engine-source.ts'
import type { AtomicMaker } from './hash/hash-engine.ts'
import { HashSource } from './hash/hash-source.ts'

export interface EngineOptions {
  readonly telemetry: Telemetry
  readonly clock: Clock
  /** Makes transactions over shards where the engine has none of its own. */
  readonly atomic: AtomicMaker
}

/** The engine that a topology asks for. */
export function engineSource(schema: Schema, topology: AnyTopology, options: EngineOptions): EngineSource {
  return isCitus(topology) ? new CitusSource(schema, topology, options) : new HashSource(schema, topology, options)
}
