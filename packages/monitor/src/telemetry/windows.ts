import type { Clock } from '@shardwright/core'

/** The time that rotating measurements of one process cover. */
export class Windows {
  readonly windowMs: number
  readonly windows: number
  readonly #clock: Clock
  readonly #startedMs: number

  constructor({ windowMs, windows, clock }: { windowMs: number; windows: number; clock: Clock }) {
    this.windowMs = windowMs
    this.windows = windows
    this.#clock = clock
    this.#startedMs = clock.monotonicMs()
  }

  nowMs(): number {
    return this.#clock.monotonicMs()
  }

  /** From the start of the oldest window that is kept, or of the process, until now. */
  coveredMs(): number {
    const now = this.nowMs()
    const oldest = (Math.floor(now / this.windowMs) - this.windows + 1) * this.windowMs
    return now - Math.max(oldest, this.#startedMs)
  }

  /** So many in the time covered, per second; undefined while that is none. */
  perSecond(count: number): number | undefined {
    const covered = this.coveredMs()
    return covered > 0 ? (count * 1000) / covered : undefined
  }
}
