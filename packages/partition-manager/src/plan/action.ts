import type { Period } from '../calendar/calendar.ts'
import type { JobDetail, MissingIndex, ParentIndex } from '../inspect/catalog-state.ts'
import type { IndexPolicy } from '../policy/policy.ts'

/** One thing to do. `sql` is what will be sent, whole; parts that repeat say so in a comment. */
export type PartitionAction =
  | FinalizeDetach
  | CreatePartition
  | RepairDefault
  | RetirePartition
  | ReattachPartition
  | ForgetJob
  | ToColumnar
  | CreateIndex
  | BuildIndex
  | Analyze

interface ActionBase {
  readonly sql: readonly string[]
}

export interface NamedTable {
  readonly oid: string
  readonly schema: string
  readonly name: string
}

/** A concurrent detach was killed between its two phases. */
export interface FinalizeDetach extends ActionBase {
  readonly kind: 'finalize-detach'
  readonly partition: NamedTable
}

export interface CreatePartition extends ActionBase {
  readonly kind: 'create'
  readonly name: string
  readonly period: Period
  /** The range lies before the current period. */
  readonly gap: boolean
}

/** Moves the rows of one range from DEFAULT to a partition of their own, which grows batch by batch. */
export interface RepairDefault extends ActionBase {
  readonly kind: 'repair-default'
  readonly name: string
  readonly period: Period
  readonly rows: bigint
  readonly defaultPartition: NamedTable
  /** A former run has moved the rows below this point already. */
  readonly resume: { readonly jobId: string; readonly partition: NamedTable; readonly upTo: bigint } | undefined
}

/** Archive (if asked), detach, then drop, move or leave. */
export interface RetirePartition extends ActionBase {
  readonly kind: 'retire'
  readonly partition: NamedTable
  readonly range: { readonly lower: bigint | undefined; readonly upper: bigint }
  /** `FOR VALUES ...` as the catalog has it. */
  readonly bound?: string | undefined
  readonly bytes: bigint
  readonly ending: 'detach' | 'drop' | 'archive'
  /** False with a DEFAULT partition, where the server refuses DETACH CONCURRENTLY (55000). */
  readonly concurrently: boolean
  /** Set when a former run was interrupted. */
  readonly resume: { readonly jobId: string; readonly attached: boolean; readonly detail: JobDetail } | undefined
}

/** A former run detached it, and it is not due any more. */
export interface ReattachPartition extends ActionBase {
  readonly kind: 'reattach'
  readonly partition: NamedTable
  readonly jobId: string
}

/** A job whose table is gone, or that was cancelled before it changed anything. */
export interface ForgetJob extends ActionBase {
  readonly kind: 'forget-job'
  readonly jobId: string
}

/** Rewrites an old partition in Citus' columnar format; it can be read and added to, not updated. */
export interface ToColumnar extends ActionBase {
  readonly kind: 'columnar'
  readonly partition: NamedTable
  readonly range: { readonly lower: bigint | undefined; readonly upper: bigint }
  readonly bytes: bigint
}

export interface CreateIndex extends ActionBase {
  readonly kind: 'create-index'
  readonly index: IndexPolicy
}

export interface BuildIndex extends ActionBase {
  readonly kind: 'build-index'
  readonly index: Pick<ParentIndex, 'name' | 'schema' | 'unique' | 'definition'>
  readonly missing: MissingIndex
}

export interface Analyze extends ActionBase {
  readonly kind: 'analyze'
}
