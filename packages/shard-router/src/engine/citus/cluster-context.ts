import type { Telemetry } from '@shardwright/core'
import type { DirectCounts } from './direct-counts.ts'
import type { NodeHealth } from './node-health.ts'
import type { PlacementChecks } from './placement-checks.ts'
import type { ShardDoubts } from './shard-doubts.ts'

/** What the engines of successive readings of the metadata share. */
export interface ClusterContext {
  readonly health: NodeHealth
  readonly counts: DirectCounts
  readonly checks: PlacementChecks
  readonly doubts: ShardDoubts
  readonly telemetry: Telemetry
  readonly queryFrom: 'coordinator' | 'any'
  /** The metadata may have changed: it is read soon. */
  readonly suspect: () => void
}
