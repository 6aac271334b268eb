import { Temporal } from 'temporal-polyfill'
import { instantAt, positionOfInstant } from '../calendar/position.ts'
import type { CatalogState } from '../inspect/catalog-state.ts'
import type { PartitionPolicy } from '../policy/policy.ts'
import { parentName } from '../sql/partition-sql.ts'
import type { Analyze, PartitionAction } from './action.ts'
import type { PartitionPlan, PlanOptions } from './partition-plan.ts'
import { planColumnar } from './plan-columnar.ts'
import { planCreation } from './plan-creation.ts'
import { planIndexes } from './plan-indexes.ts'
import { planForgotten } from './plan-repair.ts'
import { planFinalize, planRetention } from './plan-retention.ts'
import { problem } from './problem.ts'

/**
 * What has to be done to bring a table to its policy at `now`: a pure diff, the same for the same arguments.
 * `now` is the server's clock in microseconds; leave it out to use the one that was read with the state.
 * @example
 * const plan = planPartitions(state, transactions)
 * console.log(printPlan(plan))
 */
export function planPartitions(
  state: CatalogState,
  policy: PartitionPolicy,
  now: bigint = state.serverTime,
  options: PlanOptions = {},
): PartitionPlan {
  const table = `${policy.schema}.${policy.table}`
  const base = { shard: state.shard, table, policy, fingerprint: state.fingerprint, state }
  if (state.standby) {
    const message = `Shard ${state.shard} is a standby: nothing was done to ${table}.`
    return freeze({ ...base, actions: [], problems: [problem('PARTITION_STANDBY', 'info', message)] })
  }
  const creation = planCreation(state, policy, now)
  const retention = planRetention(state, policy, now, options)
  const columnar = planColumnar(state, policy, now, retention.actions)
  const actions: readonly PartitionAction[] = [
    ...planFinalize(state),
    ...planForgotten(state, creation.actions),
    ...creation.actions,
    ...planIndexes(state, policy),
    ...retention.actions,
    ...columnar.actions,
    ...analyze(state, policy, now),
  ]
  return freeze({ ...base, actions, problems: [...creation.problems, ...retention.problems, ...columnar.problems] })
}

function analyze(state: CatalogState, policy: PartitionPolicy, now: bigint): readonly Analyze[] {
  if (!policy.analyzeEvery) return []
  const limit = positionOfInstant(
    instantAt(now).toZonedDateTimeISO('UTC').subtract(Temporal.Duration.from(policy.analyzeEvery)).toInstant(),
  )
  if (state.analyzedAt !== undefined && state.analyzedAt > limit) return []
  return [Object.freeze({ kind: 'analyze', sql: [`analyze ${parentName(state)}`] })]
}

function freeze(plan: PartitionPlan): PartitionPlan {
  return Object.freeze({ ...plan, actions: Object.freeze(plan.actions), problems: Object.freeze(plan.problems) })
}
