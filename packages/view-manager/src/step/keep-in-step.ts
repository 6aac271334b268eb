import type { Fleet, Schema } from '@shardwright/core'
import { wrapServerError } from '../errors/failure.ts'
import { ViewError } from '../errors/view-error.ts'
import { installStep, type StepReport } from './install-step.ts'
import { isColocated, type KeepInStepOptions, resolveStep, type Step } from './step.ts'
import { countOutOfStep } from './step-sql.ts'

/** A copied column that triggers keep equal to its source. */
export interface ColumnInStep {
  /** Installs the triggers on every shard and brings the rows that exist into step, `batchRows` at a time (default 5000). */
  install(fleet: Fleet, options?: { readonly batchRows?: number }): Promise<readonly StepReport[]>
  /** Counts rows that are out of step, per shard. */
  verify(fleet: Fleet): Promise<readonly { readonly shard: string; readonly outOfStep: number }[]>
}

/**
 * Keeps a denormalised column equal to its source by triggers, where both rows are on the same shard.
 * With a schema, that is checked: the source is a reference table, or both tables share the key.
 * @throws ViewError VIEW_INVALID, STEP_NOT_COLOCATED
 * @example
 * const step = keepInStep<Database>({
 *   from: 'festivals.name', to: 'orders.festival_name', on: { from: 'id', to: 'festival_id' },
 * }, schema)
 * await step.install(router.fleet)
 */
export function keepInStep<Database>(options: KeepInStepOptions<Database>, schema?: Schema): ColumnInStep {
  const step = resolveStep(options)
  if (schema) checkColocated(step, schema)
  return Object.freeze({
    install: (fleet: Fleet, { batchRows = 5000 } = {}) =>
      onShards(fleet, (shard) => installStep(shard, step, batchRows)),
    verify: (fleet: Fleet) =>
      onShards(fleet, async (shard) => {
        await using connection = await shard.connect({ applicationName: 'shardwright-views' })
        return { shard: shard.id, outOfStep: await countOutOfStep(connection, step) }
      }),
  })
}

async function onShards<T>(fleet: Fleet, work: (shard: Fleet['shards'][number]) => Promise<T>): Promise<readonly T[]> {
  const results: T[] = []
  for (const shard of fleet.shards) {
    try {
      results.push(await work(shard))
    } catch (error) {
      throw wrapServerError(error, `keeping a column in step on the shard ${shard.id}`)
    }
  }
  return results
}

function checkColocated(step: Step, schema: Schema): void {
  if (isColocated(step, schema)) return
  throw new ViewError({
    code: 'STEP_NOT_COLOCATED',
    message: `A row of '${step.toTable}' may be on another shard than its row of '${step.fromTable}'.`,
    details: { from: step.fromTable, to: step.toTable },
  })
}
