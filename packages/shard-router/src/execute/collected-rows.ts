import type { MissingShard } from './context.ts'

/** A result with the shards that did not answer. */
export interface PartialResult<Row> {
  readonly rows: Row[]
  /** Empty when every shard answered. */
  readonly missing: readonly MissingShard[]
}
