import type { CatalogState, PartitionState } from '../inspect/catalog-state.ts'
import type { PartitionPolicy } from '../policy/policy.ts'
import { literal, qualified } from '../sql/identifier.ts'
import type { PartitionAction, ToColumnar } from './action.ts'
import type { PartitionProblem } from './partition-plan.ts'
import { problem } from './problem.ts'
import { keyNow } from './wanted.ts'

interface ColumnarPlan {
  readonly actions: readonly ToColumnar[]
  readonly problems: readonly PartitionProblem[]
}

const nothing: ColumnarPlan = { actions: [], problems: [] }

/** Partitions that ended before the policy's age and are still in rows; what this run removes is left as it is. */
export function planColumnar(
  state: CatalogState,
  policy: PartitionPolicy,
  now: bigint,
  removals: readonly PartitionAction[],
): ColumnarPlan {
  if (!policy.columnar) return nothing
  const cutoff = policy.calendar.subtract(keyNow(policy, now), policy.columnar.after)
  const leaving = new Set([
    ...removals.flatMap((action) => (action.kind === 'retire' ? [action.partition.oid] : [])),
    ...state.jobs.map((job) => job.child?.oid),
  ])
  const due = state.partitions.filter(
    (partition) =>
      partition.upper !== undefined &&
      partition.upper <= cutoff &&
      partition.accessMethod === 'heap' &&
      !partition.partitioned &&
      !partition.detachPending &&
      !leaving.has(partition.oid),
  )
  if (due.length === 0) return nothing
  const refused = refusal(state, policy, due)
  return refused ? { actions: [], problems: [refused] } : { actions: due.map(toColumnar), problems: [] }
}

function refusal(
  state: CatalogState,
  policy: PartitionPolicy,
  due: readonly PartitionState[],
): PartitionProblem | undefined {
  const table = `${policy.schema}.${policy.table}`
  if (!state.columnar) {
    const message = `${due.length} partitions of ${table} should be columnar, which the server of ${state.shard} does not know.`
    return problem('PARTITION_COLUMNAR_UNAVAILABLE', 'warning', message)
  }
  if (state.columnarObstacles.length === 0) return undefined
  const message = `${due.length} partitions of ${table} stay as they are: columnar tables take no ${state.columnarObstacles.join(', ')}.`
  return problem('PARTITION_COLUMNAR_REFUSED', 'warning', message)
}

function toColumnar({ oid, schema, name, lower, upper, bytes }: PartitionState): ToColumnar {
  return Object.freeze({
    kind: 'columnar',
    partition: { oid, schema, name },
    range: { lower, upper: upper as bigint },
    bytes,
    sql: [`select alter_table_set_access_method(${literal(qualified(schema, name))}, 'columnar')`],
  })
}
