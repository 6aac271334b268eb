import type { ShardedTable } from './table-placement.ts'

/** A key family (co-location group): tables that share a shard key, so that equal keys are on one shard. */
export interface Family {
  readonly name: string
  readonly tables: readonly ShardedTable[]
}
