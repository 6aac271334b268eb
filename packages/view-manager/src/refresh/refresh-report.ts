import type { Failure } from '../errors/failure.ts'

/** What became of one view, or rollup, on one shard. */
export interface RefreshReport {
  readonly view: string
  readonly shard: string
  /** `busy`: another process refreshes it. `skipped`: a view that it reads failed. */
  readonly outcome: 'refreshed' | 'busy' | 'skipped' | 'failed'
  /** How a view was refreshed. */
  readonly mode?: 'plain' | 'concurrently' | undefined
  /** Of a rollup: time buckets that were summed up again. */
  readonly buckets?: number | undefined
  /** Of a rollup: buckets that changed after their raw partition had gone. They keep what they had: correct them by hand. */
  readonly frozenBuckets?: number | undefined
  /** By the server's clock. */
  readonly refreshedAt?: Date | undefined
  /** Everything committed before it is in the view: not later than that of the views it reads. */
  readonly asOf?: Date | undefined
  readonly durationMs: number
  readonly failure?: Failure | undefined
}
