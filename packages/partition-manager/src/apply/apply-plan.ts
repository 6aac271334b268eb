import type { FleetShard } from '@shardwright/core'
import { type Failure, failureOf } from '../errors/failure.ts'
import { PartitionError } from '../errors/partition-error.ts'
import { inspectPartitions } from '../inspect/inspect.ts'
import type { CreatePartition, PartitionAction } from '../plan/action.ts'
import { describeAction } from '../plan/describe-action.ts'
import type { PartitionPlan } from '../plan/partition-plan.ts'
import { batchesOf, isCreation } from './batches.ts'
import { lockParent } from './parent-lock.ts'
import { noteChange, rest } from './rest.ts'
import { createTogether, runAction } from './run-action.ts'
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
  const taken = plan.actions.find((action) => action.kind === 'create' && state.takenNames.has(action.name))
  if (taken) throw stale(plan, `a table has the name of what it would ${describeAction(taken)}`)
  return await runPlan(session, plan)
}

/** The caller holds the table's lock. */
export async function runPlan(session: MaintenanceSession, plan: PartitionPlan): Promise<readonly ActionOutcome[]> {
  const outcomes: ActionOutcome[] = []
  for (const batch of batchesOf(plan)) outcomes.push(...(await runBatch(session, plan, batch)))
  return Object.freeze(outcomes)
}

async function runBatch(
  session: MaintenanceSession,
  plan: PartitionPlan,
  batch: readonly PartitionAction[],
): Promise<readonly ActionOutcome[]> {
  const creations = batch.filter(isCreation)
  const outcomes = creations.length > 1 ? await runTogether(session, plan, creations) : []
  for (const action of batch.slice(outcomes.length)) outcomes.push(await runOne(session, plan, action))
  return outcomes
}

async function runTogether(
  session: MaintenanceSession,
  plan: PartitionPlan,
  creations: readonly CreatePartition[],
): Promise<ActionOutcome[]> {
  if (session.options.signal.aborted || !session.connected) return []
  const created = await createTogether(session, creations)
  const outcomes = creations.slice(0, created).map((action) => done(action, undefined))
  for (const outcome of outcomes) count(session, plan, outcome)
  if (created > 0) noteChange(session)
  return outcomes
}

async function runOne(
  session: MaintenanceSession,
  plan: PartitionPlan,
  action: PartitionAction,
): Promise<ActionOutcome> {
  const description = describeAction(action)
  if (session.options.signal.aborted || !session.connected) {
    return Object.freeze({ action, description, outcome: 'not-reached' })
  }
  let outcome: ActionOutcome
  try {
    await rest(session)
    outcome = done(action, await runAction(session, plan.state, plan.policy, action))
  } catch (error) {
    outcome = Object.freeze({ action, description, outcome: 'failed', failure: failureOf(error) })
    await session.isAlive()
  }
  noteChange(session)
  count(session, plan, outcome)
  return outcome
}

function done(action: PartitionAction, rows: bigint | undefined): ActionOutcome {
  return Object.freeze({ action, description: describeAction(action), outcome: 'done', rows })
}

function count(session: MaintenanceSession, plan: PartitionPlan, ended: ActionOutcome): void {
  const { action, outcome } = ended
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
