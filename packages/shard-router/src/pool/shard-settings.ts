import type { Clock, Telemetry } from '@shardwright/core'
import type { ReadSettings } from './read-settings.ts'
import type { RetrySettings } from './retry-settings.ts'

/** What a shard does around its servers. */
export interface ShardSettings {
  readonly reads: ReadSettings
  readonly retry: RetrySettings
  readonly clock: Clock
  readonly telemetry: Telemetry
  /** Of the topology now. */
  readonly epoch: () => number
}
