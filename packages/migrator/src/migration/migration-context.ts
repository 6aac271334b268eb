import type { AnyTopology, Schema } from '@shardwright/core'

/** What a migration may know about the shard it runs on. */
export interface MigrationContext {
  readonly shardId: string
  readonly direction: 'up' | 'down'
  /** The placements, when the migrator was given them. */
  readonly schema?: Schema | undefined
  /** The topology, when the migrator was given it: ownership checks need it, and it says whether the engine is Citus. */
  readonly topology?: AnyTopology | undefined
  /** True while the SQL is only written down: reads return no rows. */
  readonly dryRun: boolean
}
