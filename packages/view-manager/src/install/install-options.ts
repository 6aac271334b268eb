import type { Clock } from '@shardwright/core'

export interface InstallContext {
  readonly clock: Clock
  /** How long to wait for another installer or refresher, milliseconds. */
  readonly lockWaitMs: number
  /** How often the swap is tried. */
  readonly swapAttempts: number
  readonly signal?: AbortSignal | undefined
}
