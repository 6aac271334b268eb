/**
 * The right to make ids under one worker number. `firstMs` to `untilMs` is a span of time that nobody else under this
 * number ever gets: that, not the clock, is what keeps ids unique when a process pauses or a clock jumps.
 */
export interface WorkerLease extends AsyncDisposable {
  readonly worker: number
  /** The first millisecond that ids may carry. */
  readonly firstMs: number
  /** The last millisecond that ids may carry; grows as the lease is renewed. */
  readonly untilMs: number
  /** True once the number was given to another process. */
  readonly lost: boolean
  /** Tells the highest millisecond in use, so that a renewal reserves beyond it. */
  used(timeMs: number): void
  /** Gives the number back. Idempotent; no ids may be made afterwards. */
  release(): Promise<void>
}

/** Where worker numbers come from. */
export interface WorkerLeases {
  /** @throws IdError WORKERS_EXHAUSTED */
  acquire(): Promise<WorkerLease>
}
