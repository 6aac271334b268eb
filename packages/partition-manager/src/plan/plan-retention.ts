import { positionText } from '../calendar/position.ts'
import type { CatalogState, PartitionJob, PartitionState } from '../inspect/catalog-state.ts'
import type { PartitionPolicy, RetentionPolicy } from '../policy/policy.ts'
import { identifier, qualified } from '../sql/identifier.ts'
import { detachSql, finalizeSql, parentName } from '../sql/partition-sql.ts'
import type { NamedTable, PartitionAction, RetirePartition } from './action.ts'
import type { PartitionProblem, PlanOptions } from './partition-plan.ts'
import { problem } from './problem.ts'
import { forValues } from './range-text.ts'
import { keyNow, retentionCutoff } from './wanted.ts'

/** A clock that jumped would make everything look old. */
const maxClockSkewUs = 3_600_000_000n

interface Retirements {
  readonly actions: readonly PartitionAction[]
  readonly problems: readonly PartitionProblem[]
}

/**
 * What is due: partitions whose real upper bound lies at or before the cutoff. Never DEFAULT, never one without an upper
 * bound, never the current one or a later one (their upper bound is after now), never the last one.
 */
export function planRetention(
  state: CatalogState,
  policy: PartitionPolicy,
  now: bigint,
  options: PlanOptions,
): Retirements {
  const cutoff = retentionCutoff(policy, now)
  const resumed = state.jobs.filter((job) => job.kind === 'retire').map((job) => resume(state, policy, job, cutoff))
  if (!policy.retention || cutoff === undefined) return { actions: resumed, problems: [] }
  const inJobs = new Set(state.jobs.map((job) => job.child?.oid))
  const due = state.partitions
    .filter((p) => p.upper !== undefined && p.upper <= cutoff && p.upper <= keyNow(policy, now))
    .filter((p) => !p.detachPending && !inJobs.has(p.oid))
  const problems: PartitionProblem[] = []
  if (due.length > 0 && options.callerNow !== undefined && distance(options.callerNow, now) > maxClockSkewUs) {
    const message = `${due.length} partitions look due, but the server says ${positionText(now)} and this process ${positionText(options.callerNow)}.`
    return { actions: resumed, problems: [problem('PARTITION_CLOCK_SKEW', 'error', message)] }
  }
  const room = policy.retention.maxDropsPerRun - resumed.filter((action) => action.kind === 'retire').length
  const chosen = capped(spareTheLast(due, state, problems), room, options, problems)
  const fresh = chosen.map((partition) => retire(state, partition, policy.retention))
  return { actions: [...resumed, ...fresh], problems }
}

function distance(a: bigint, b: bigint): bigint {
  return a < b ? b - a : a - b
}

function spareTheLast(
  due: readonly PartitionState[],
  state: CatalogState,
  problems: PartitionProblem[],
): readonly PartitionState[] {
  const remaining = state.partitions.filter((p) => !p.detachPending).length - due.length
  const spared = due.at(-1)
  if (remaining > 0 || !spared) return due
  problems.push(problem('PARTITION_RETAINED', 'info', `${spared.name} is due, but is the last partition: it stays.`))
  return due.slice(0, -1)
}

/** What a former run began counts too. */
function capped(
  due: readonly PartitionState[],
  room: number,
  options: PlanOptions,
  problems: PartitionProblem[],
): readonly PartitionState[] {
  if (options.force || due.length <= room) return due
  const taken = Math.max(room, 0)
  const message = `${due.length} more partitions are due than were begun; this run removes ${taken} of them, ${due.length - taken} wait.`
  problems.push(problem('PARTITION_DROP_CAP', 'warning', message))
  return due.slice(0, taken)
}

function retire(
  state: CatalogState,
  partition: NamedTable & {
    readonly lower: bigint | undefined
    readonly upper: bigint | undefined
    readonly bytes: bigint
    readonly bound?: string | undefined
  },
  retention: RetentionPolicy | undefined,
  resumed?: RetirePartition['resume'],
): RetirePartition {
  const then = retention?.then ?? 'detach'
  const concurrently = state.defaultPartition === undefined && !state.parent.distributed
  return Object.freeze({
    kind: 'retire',
    partition: { oid: partition.oid, schema: partition.schema, name: partition.name },
    range: { lower: partition.lower, upper: partition.upper as bigint },
    bound: partition.bound,
    bytes: partition.bytes,
    ending: typeof then === 'string' ? then : 'archive',
    concurrently,
    resume: resumed,
    sql: retireSql(state, partition, then, concurrently, resumed?.attached ?? true),
  })
}

function retireSql(
  state: CatalogState,
  partition: NamedTable,
  then: RetentionPolicy['then'],
  concurrently: boolean,
  attached: boolean,
): readonly string[] {
  const table = qualified(partition.schema, partition.name)
  const sql: string[] = []
  if (typeof then === 'object') {
    if (typeof then.archive === 'object' && 'schema' in then.archive) {
      const moved = `alter table ${table} set schema ${identifier(then.archive.schema)}`
      return [...(attached ? [detachSql(state, partition, concurrently)] : []), moved]
    }
    sql.push(`copy ${table} to stdout (format text) -- counted and verified before the table is dropped`)
  }
  if (attached) sql.push(detachSql(state, partition, concurrently))
  if (then !== 'detach') sql.push(`drop table ${table}`)
  return sql
}

function resume(
  state: CatalogState,
  policy: PartitionPolicy,
  job: PartitionJob,
  cutoff: bigint | undefined,
): PartitionAction {
  const child = job.child
  if (!child) return Object.freeze({ kind: 'forget-job', jobId: job.id, sql: [] })
  const lower = job.detail.lower === null ? undefined : BigInt(job.detail.lower)
  const upper = job.detail.upper === null ? undefined : BigInt(job.detail.upper)
  const pending = state.partitions.find((p) => p.oid === child.oid)?.detachPending === true
  // Without a retention nothing is due: what stands detached half-way goes back.
  const due = upper !== undefined && cutoff !== undefined && upper <= cutoff
  if (!due && child.attached && !pending) return Object.freeze({ kind: 'forget-job', jobId: job.id, sql: [] })
  if (!due) {
    const values = job.detail.bound ?? forValues(policy.key, { lower, upper })
    return Object.freeze({
      kind: 'reattach',
      partition: child,
      jobId: job.id,
      sql: [`alter table ${parentName(state)} attach partition ${qualified(child.schema, child.name)} ${values}`],
    })
  }
  const partition = { ...child, lower, upper, bytes: 0n, bound: job.detail.bound }
  return retire(state, partition, policy.retention, {
    jobId: job.id,
    attached: child.attached,
    detail: job.detail,
  })
}

/** Whatever a killed run or a person left between the two phases of a concurrent detach. */
export function planFinalize(state: CatalogState): readonly PartitionAction[] {
  return state.partitions
    .filter((partition) => partition.detachPending)
    .map((partition) =>
      Object.freeze({
        kind: 'finalize-detach' as const,
        partition: { oid: partition.oid, schema: partition.schema, name: partition.name },
        sql: [finalizeSql(state, partition)],
      }),
    )
}
