import type { Schedule } from '../definition/view.ts'

/** A summary table by time bucket as the manager knows it; made by `defineRollup`. */
export interface Rollup {
  readonly kind: 'rollup'
  readonly schema: string
  readonly name: string
  readonly source: string
  readonly time: string
  readonly bucket: BucketUnit
  readonly zone: string
  readonly keys: readonly string[]
  readonly measures: readonly RollupMeasure[]
  readonly budgetMs: number
  readonly refresh: { readonly every: Schedule | undefined; readonly after: undefined }
  readonly hash: string
}

export type BucketUnit = 'hour' | 'day' | 'week' | 'month' | 'year'

export interface RollupMeasure {
  readonly name: string
  readonly function: 'sum' | 'min' | 'max' | 'count'
  /** Undefined: count(*). */
  readonly column: string | undefined
}
