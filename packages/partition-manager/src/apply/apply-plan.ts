import type { FleetShard } from '@shardwright/core'
import { type Failure, failureOf } from '../errors/failure.ts'
import { PartitionError } from '../errors/partition-error.ts'
import { inspectPartitions } from '../inspect/inspect.ts'
import type { PartitionAction } from '../plan/action.ts'
import { describeAction } from '../plan/describe-action.ts'
import type { PartitionPlan } from '../plan/partition-plan.ts'
import { lockParent } from './parent-lock.ts'
import { runAction } from './run-action.ts'
import { type RunOptions, resolveRunOptions } from './run-options.ts'
import { MaintenanceSession } from './session.ts'

/** What became of one action. */
export interface ActionOutcome {
  readonly action: PartitionAction
  readonly description: string
  readonly outcome: 'done' | 'failed' | 'not-reached'
  readonly rows?: bigint | undefined
  readonly failure?: Failure | undefined
}

/**
 * Applies a plan to its shard, on a connection of its own, under the table's lock. One action that fails leaves the
 * others to go on.
 * @throws PartitionError PARTITION_PLAN_STALE when the catalog is not what the plan was made from, PARTITION_BUSY
 * @example
 * const outcomes = await applyPlan(shard, plan, { lockTimeoutMs: 200 })
 */
export async function applyPlan(
  shard: FleetShard,
  plan: PartitionPlan,
  options: RunOptions = {},
): Promise<readonly ActionOutcome[]> {
  if (shard.id !== plan.shard) {
    throw stale(plan, `it was made for shard ${plan.shard}, not for ${shard.id}`)
  }
  await using session = await MaintenanceSession.open(shard, plan.table, resolveRunOptions(options))
  if (!(await lockParent(session, plan.policy))) throw busy(plan)
  const state = await session.withShortLocks('inspect', () => inspectPartitions(session.connection, plan.policy))
  if (state.fingerprint !== plan.fingerprint) throw stale(plan, 'the catalog has changed since')
  return await runPlan(session, plan)
}

/** The caller holds the table's lock. */
export async function runPlan(session: MaintenanceSession, plan: PartitionPlan): Promise<readonly ActionOutcome[]> {
  const outcomes: ActionOutcome[] = []
  let alive = true
  for (const action of plan.actions) {
    const description = describeAction(action)
    if (!alive || session.options.signal.aborted) {
      outcomes.push(Object.freeze({ action, description, outcome: 'not-reached' }))
      continue
    }
    try {
      const rows = await runAction(session, plan.state, plan.policy, action)
      outcomes.push(Object.freeze({ action, description, outcome: 'done', rows }))
    } catch (error) {
      outcomes.push(Object.freeze({ action, description, outcome: 'failed', failure: failureOf(error) }))
      alive = await session.isAlive()
    }
    count(session, plan, outcomes.at(-1) as ActionOutcome)
  }
  return Object.freeze(outcomes)
}

function count(session: MaintenanceSession, plan: PartitionPlan, done: ActionOutcome): void {
  const { action, outcome } = done
  const attributes = { shard: plan.shard, table: plan.table, action: action.kind, outcome }
  session.options.telemetry.count('shardwright.partitions.actions', 1, attributes)
}

function stale(plan: PartitionPlan, why: string): PartitionError {
  return new PartitionError({
    code: 'PARTITION_PLAN_STALE',
    message: `The plan for ${plan.table} was not applied: ${why}.`,
    details: { table: plan.table, shard: plan.shard },
  })
}

export function busy(plan: { readonly table: string; readonly shard: string }): PartitionError {
  return new PartitionError({
    code: 'PARTITION_BUSY',
    message: `Another maintenance run holds ${plan.table} on shard ${plan.shard}.`,
    details: { table: plan.table, shard: plan.shard },
  })
}
