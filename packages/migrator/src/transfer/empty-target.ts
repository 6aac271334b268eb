import { openPinned } from './pinned-connection.ts'
import type { TablePlan } from './table-plan.ts'
import { shardsOf } from './table-shards.ts'
import type { ResolvedTransferOptions } from './transfer-options.ts'
import { forgetState } from './transfer-state.ts'

/** Takes every row out of the target, children before parents, with the state of former runs: whole per shard. */
export async function emptyTarget(
  { source, target, signal }: ResolvedTransferOptions,
  plans: readonly TablePlan[],
): Promise<void> {
  for (const shard of target.fleet.shards) {
    await using connection = await openPinned(shard, signal)
    const here = plans.filter(({ placement }) => shardsOf(target, placement).includes(shard))
    await connection.query('begin')
    // One statement: TRUNCATE takes tables that reference one another only together.
    if (here.length > 0) await connection.query(`truncate ${here.map((plan) => plan.name).join(', ')}`)
    await forgetState(connection, source.topology.id)
    await connection.query('commit')
  }
}
