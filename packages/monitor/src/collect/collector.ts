import type { FleetConnection } from '@shardwright/core'
import type { Sample } from './sample.ts'
import type { ShardMemory } from './shard-memory.ts'

/** One thing that is measured on a shard's primary. */
export interface Collector {
  readonly name: string
  collect(connection: FleetConnection, memory: ShardMemory, nowMs: number): Promise<readonly Sample[]>
}
