import type { ShardwrightError } from '@shardwright/core'

/** Progress, for screens and logs. */
export type RunEvent =
  | { readonly type: 'waiting'; readonly shard: string }
  | { readonly type: 'planned'; readonly steps: readonly PlannedStep[] }
  | { readonly type: 'started'; readonly migration: string; readonly shard: string }
  | { readonly type: 'retrying'; readonly migration: string; readonly shard: string; readonly attempt: number }
  | { readonly type: 'done'; readonly migration: string; readonly shard: string; readonly durationMs: number }
  | { readonly type: 'failed'; readonly migration: string; readonly shard: string; readonly error: ShardwrightError }

export interface PlannedStep {
  readonly migration: string
  readonly direction: 'up' | 'down'
  readonly shards: readonly string[]
}
