import type { ShardwrightError } from '@shardwright/core'

/** What a run did: one entry per migration and shard that it meant to touch. */
export interface RunReport {
  /** `complete`: every shard it was asked about stands where it should. `unchanged`: there was nothing to do. */
  readonly outcome: 'complete' | 'incomplete' | 'unchanged'
  readonly steps: readonly StepReport[]
  readonly unreachable: readonly { readonly shard: string; readonly error: ShardwrightError }[]
  /** Why the run ended early, for people; undefined when complete. */
  readonly reason: string | undefined
}

export interface StepReport {
  readonly migration: string
  readonly direction: 'up' | 'down'
  readonly shard: string
  readonly outcome: 'done' | 'failed' | 'not-started'
  readonly durationMs: number | undefined
  readonly error: ShardwrightError | undefined
}
