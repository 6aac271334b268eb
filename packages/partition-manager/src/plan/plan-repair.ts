import type { Period } from '../calendar/calendar.ts'
import type { CatalogState, DefaultPartitionState } from '../inspect/catalog-state.ts'
import type { PartitionPolicy } from '../policy/policy.ts'
import { identifier, qualified } from '../sql/identifier.ts'
import { attachSql, createTableSql, parentName } from '../sql/partition-sql.ts'
import type { PartitionAction, RepairDefault } from './action.ts'
import { rangeCondition } from './range-text.ts'

export function repairAction(
  state: CatalogState,
  policy: PartitionPolicy,
  name: string,
  period: Period,
  rows: bigint,
  resume?: RepairDefault['resume'],
): RepairDefault {
  const held = state.defaultPartition as DefaultPartitionState
  return Object.freeze({
    kind: 'repair-default',
    name,
    period,
    rows,
    defaultPartition: { oid: held.oid, schema: held.schema, name: held.name },
    resume,
    sql: repairSql(state, policy, name, period),
  })
}

/** Jobs of a run that was killed: their partition covers only the start of its period so far. */
export function resumedRepairs(state: CatalogState, policy: PartitionPolicy): readonly RepairDefault[] {
  return state.jobs.flatMap((job) => {
    const partition = state.partitions.find((candidate) => candidate.oid === job.child?.oid)
    const { lower, upper } = job.detail
    if (job.kind !== 'repair' || !partition?.upper || lower === null || upper === null) return []
    if (!state.defaultPartition || partition.upper === BigInt(upper)) return []
    const period = { from: BigInt(lower), to: BigInt(upper) }
    const waiting = state.defaultPartition.periods.find((rows) => rows.from === period.from)?.rows ?? 0n
    const resume = { jobId: job.id, partition, upTo: partition.upper }
    return [repairAction(state, policy, partition.name, period, waiting, resume)]
  })
}

function repairSql(state: CatalogState, policy: PartitionPolicy, name: string, period: Period): readonly string[] {
  const held = state.defaultPartition as DefaultPartitionState
  const from = qualified(held.schema, held.name)
  const child = qualified(state.parent.schema, name)
  const range = { lower: period.from, upper: period.to }
  return [
    `-- in batches of ${policy.repairBatchRows} rows by ${policy.by}, each one transaction; between batches the`,
    '-- partition is attached with the upper bound reached, so that every row is visible at every commit',
    'begin',
    `lock table ${parentName(state)} in access exclusive mode`,
    ...createTableSql(state, name),
    `with moved as (delete from ${from} where ${rangeCondition(policy.key, identifier(policy.by), range)} returning *) insert into ${child} select * from moved`,
    attachSql(state, policy, name, range),
    'commit',
  ]
}

/** Repair jobs with nothing left to do: their partition is whole, or it or DEFAULT is gone. */
export function planForgotten(state: CatalogState, actions: readonly PartitionAction[]): readonly PartitionAction[] {
  const resumed = new Set(
    actions.map((action) => (action.kind === 'repair-default' ? action.resume?.jobId : undefined)),
  )
  return state.jobs
    .filter((job) => job.kind === 'repair' && !resumed.has(job.id))
    .map((job) => Object.freeze({ kind: 'forget-job' as const, jobId: job.id, sql: [] }))
}
