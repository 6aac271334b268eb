import type { Access } from './access.ts'
import type { InProcessAggregate } from './aggregate/decomposable.ts'
import type { SqlTemplate } from './compile.ts'
import type { Source } from './source.ts'

/** A SELECT over several shards: what runs first, what each shard computes, and how the results become one. */
export interface MergePlan {
  /** Queries whose rows are needed before: their results are bound into the statements below. */
  readonly gathers: readonly GatherStep[]
  /** What each shard runs; `undefined` when only the gathered rows are needed. */
  readonly partial: SqlTemplate | undefined
  /** The uses of tables in the partial statement: they decide the shards. */
  readonly accesses: readonly Access[]
  readonly merge: Merge
}

/** A query part whose rows travel whole. */
export interface GatherStep {
  /** Its number in the template's slots. */
  readonly step: number
  /** For messages: which part of the query it is. */
  readonly part: string
  readonly plan: MergePlan
}

export type Merge =
  /** All rows, in no order. */
  | { readonly kind: 'concat' }
  /** Sorted streams into one. */
  | {
      readonly kind: 'ordered'
      readonly order: readonly OrderKey[]
      readonly window: RowWindow
      readonly hidden: number
      readonly distinct: boolean
      readonly combine: Combine
    }
  /** Partial aggregates into whole ones. */
  | {
      readonly kind: 'aggregate'
      readonly aggregate: AggregateMerge
      readonly combine: Combine
      readonly whole: () => MergePlan
    }
  /** PostgreSQL computes the result from the partial rows. */
  | { readonly kind: 'combine'; readonly combine: Combine; readonly whole?: () => MergePlan }

/** A statement for one shard over the partial rows, with slots for what their arrival tells. */
export interface Combine {
  readonly final: SqlTemplate
  /** Why the in-process merge is not enough, for `explain`. */
  readonly reason: string
  /** Columns at the end of the partial rows that are no output. */
  readonly hidden: number
  /** Where the plan counts on columns of `*`, as the catalog had them. */
  readonly stars?: readonly StarColumn[]
}

/** A column behind a `*` that is found by its position: it must have this name there. */
export interface StarColumn {
  readonly position: number
  readonly name: string
}

export interface OrderKey {
  /** Position in the partial row, from 0; negative counts from the end. */
  readonly position: number
  readonly descending: boolean
  readonly nullsFirst: boolean
}

/** LIMIT and OFFSET of the merged rows. */
export interface RowWindow {
  readonly limit: Source | undefined
  readonly offset: Source | undefined
}

export interface AggregateMerge {
  /** Positions of the group columns in the partial row. */
  readonly groups: readonly number[]
  /** The outputs in order: a group column, or a merged aggregate. */
  readonly outputs: readonly AggregateOutput[]
  /** Positions among the outputs. */
  readonly order: readonly OrderKey[]
  readonly window: RowWindow
}

export type AggregateOutput =
  | { readonly kind: 'group'; readonly name: string; readonly position: number }
  | { readonly kind: 'aggregate'; readonly name: string; readonly aggregate: InProcessAggregate }
