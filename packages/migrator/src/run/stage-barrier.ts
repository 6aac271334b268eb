import type { MigrationRow } from '../state/migration-state.ts'
import type { Stage } from './plan-run.ts'
import { isTouched } from './plan-run.ts'

/** What the barrier looks at: every shard of the fleet, also those that the run leaves alone or cannot reach. */
export type FleetState = ReadonlyMap<string, ReadonlyMap<string, MigrationRow> | undefined>

/**
 * The shards that forbid `stage`: going up, those that still lack an earlier migration of the plan's order; going down,
 * those that still have a later one. A shard of unknown state forbids everything but the first stage.
 */
export function behindFor(stage: Stage, before: readonly string[], fleet: FleetState): readonly string[] {
  return [...fleet].flatMap(([shard, rows]) => {
    if (!rows) return before.length > 0 ? [shard] : []
    const open =
      stage.direction === 'up'
        ? before.some((name) => rows.get(name)?.state !== 'applied')
        : before.some((name) => isTouched(rows.get(name)))
    return open ? [shard] : []
  })
}
