import type { ShardedTable } from '@shardwright/core'
import type { InsertQueryNode } from 'kysely'
import type { SqlTemplate } from './compile.ts'
import type { GatherStep, MergePlan } from './merge-plan.ts'
import type { PreparedPlan } from './prepared-plan.ts'
import type { ColumnarInsert } from './write/columnar-insert.ts'

/** How a statement runs over several shards. `moment`: the moment of the statement has to be read before. */
export type MultiShardPlan = MultiShardWork & { readonly moment: boolean }

export type MultiShardWork =
  /** Read all, merge. */
  | { readonly kind: 'fan-out'; readonly merge: MergePlan }
  /** The same write on each shard; counts add up, returned rows are put together. */
  | { readonly kind: 'broadcast'; readonly gathers: readonly GatherStep[]; readonly template: SqlTemplate }
  /** The rows of one INSERT, to the shards of their keys. */
  | {
      readonly kind: 'split'
      readonly node: InsertQueryNode
      readonly table: ShardedTable
      readonly position: number
      readonly columnar: ColumnarInsert | undefined
      /** The INSERT with all values that a shard would take from its clock; made when it is needed. */
      bound(): InsertQueryNode
      readonly moment: boolean
    }
  /** INSERT ... SELECT whose rows have to travel: read, then split. */
  | {
      readonly kind: 'insert-select'
      readonly node: InsertQueryNode
      readonly table: ShardedTable
      readonly position: number
      readonly source: MergePlan
      /** True when the rows may be written in several statements. */
      readonly chunked: boolean
    }
  /** CTEs that write: read what they would change, write one after the other, then the statement over their rows. */
  | {
      readonly kind: 'steps'
      readonly reads: readonly GatherStep[]
      readonly steps: readonly WriteStep[]
      readonly main: PreparedPlan
    }
  /** A write to a reference table: the lead copy first, its rows to the others. */
  | { readonly kind: 'reference'; readonly write: ReferenceWrite }

export interface WriteStep {
  /** Its number in the slots of the later parts. */
  readonly step: number
  /** The name of the CTE. */
  readonly part: string
  readonly plan: PreparedPlan
  /** What it returns, as a SELECT; `undefined` without RETURNING. */
  readonly shape: SqlTemplate | undefined
}

export interface ReferenceWrite {
  readonly table: { readonly schema: string; readonly table: string }
  readonly statement: SqlTemplate
  /** `repeat`: the statement gives the same rows on every copy. `copy`: the lead's rows are sent on as values. */
  readonly how: 'repeat' | 'copy'
  /** The primary key, for an upsert of copied rows. */
  readonly primaryKey: readonly string[]
  readonly columns: readonly string[]
  readonly returning: boolean
  /** The caller's select list over `returning *` of the lead, when rows are copied. */
  readonly kind: 'insert' | 'update' | 'delete' | 'statement'
}
