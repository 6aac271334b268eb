import type { FleetConnection, FleetShard } from '@shardwright/core'
import { inTransaction } from '../sql/in-transaction.ts'
import { qualified } from '../sql/quote.ts'
import { refuseDistributed } from '../state/distributed-table.ts'
import type { Step } from './step.ts'
import { backfill, countOutOfStep, triggersSql } from './step-sql.ts'

export interface StepReport {
  readonly shard: string
  /** Rows that were brought into step. */
  readonly backfilled: number
  /** Rows out of step after it: 0 unless another trigger of the table changes the column back. */
  readonly outOfStep: number
}

/** @throws ViewError TRIGGER_ON_CITUS */
export async function refuseTriggers(connection: FleetConnection, step: Step): Promise<void> {
  for (const table of [step.fromTable, step.toTable]) {
    await refuseDistributed(
      connection,
      qualified(step.schema, table),
      `Keeping ${step.toTable}.${step.toColumn} in step`,
    )
  }
}

/** Triggers first, then the rows from before them: nothing falls between. Can be run again. */
export async function installStep(shard: FleetShard, step: Step, batchRows: number): Promise<StepReport> {
  await using connection = await shard.connect({ applicationName: 'shardwright-views' })
  await refuseTriggers(connection, step)
  await inTransaction(connection, async () => {
    await connection.script('set local lock_timeout to 5000; set local client_min_messages to warning')
    await connection.script(triggersSql(step))
  })
  let backfilled = 0
  let outOfStep = await countOutOfStep(connection, step)
  for (let before = Number.POSITIVE_INFINITY; outOfStep > 0 && outOfStep < before; ) {
    before = outOfStep
    backfilled += await backfill(connection, step, batchRows)
    outOfStep = await countOutOfStep(connection, step)
  }
  return { shard: shard.id, backfilled, outOfStep }
}
