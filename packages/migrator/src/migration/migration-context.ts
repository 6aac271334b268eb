import type { Schema, Topology } from '@shardwright/core'

/** What a migration may know about the shard it runs on. */
export interface MigrationContext {
  readonly shardId: string
  readonly direction: 'up' | 'down'
  /** The placements, when the migrator was given them. */
  readonly schema?: Schema | undefined
  /** The topology, when the migrator was given it; needed by ownership checks. */
  readonly topology?: Topology | undefined
  /** True while the SQL is only written down: reads return no rows. */
  readonly dryRun: boolean
}
