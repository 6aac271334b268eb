import type { Clock } from './clock.ts'

interface Sleeper {
  readonly wakesAt: number
  readonly wake: () => void
}

/**
 * A clock for tests: it stands still until told otherwise.
 * @example
 * const clock = new ManualClock(Date.UTC(2026, 0, 1))
 * const nap = clock.sleep(1000)
 * await clock.advance(1000) // nap resolves
 */
export class ManualClock implements Clock {
  #now: number
  #monotonic = 0
  readonly #sleepers = new Set<Sleeper>()

  constructor(startMs = 0) {
    this.#now = startMs
  }

  now(): number {
    return this.#now
  }

  monotonicMs(): number {
    return this.#monotonic
  }

  /** Sets the wall clock, also backwards; wakes nobody, as the monotonic clock goes on alone. */
  set(nowMs: number): void {
    this.#now = nowMs
  }

  /** How many sleeps are under way. */
  get sleeping(): number {
    return this.#sleepers.size
  }

  /** Lets time pass; sleepers wake in the order of their times, and what they start is run before it returns. */
  async advance(ms: number): Promise<void> {
    const until = this.#monotonic + ms
    for (let next = this.#nextBy(until); next; next = this.#nextBy(until)) {
      this.#moveTo(Math.max(next.wakesAt, this.#monotonic))
      this.#sleepers.delete(next)
      next.wake()
      await settle()
    }
    this.#moveTo(until)
    await settle()
  }

  sleep(delayMs: number, options: { readonly signal?: AbortSignal; readonly unref?: boolean } = {}): Promise<void> {
    const { signal } = options
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const onAbort = () => {
        this.#sleepers.delete(sleeper)
        reject(signal?.reason)
      }
      const wake = () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      }
      const sleeper: Sleeper = { wakesAt: this.#monotonic + delayMs, wake }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#sleepers.add(sleeper)
    })
  }

  #moveTo(monotonic: number): void {
    this.#now += monotonic - this.#monotonic
    this.#monotonic = monotonic
  }

  #nextBy(until: number): Sleeper | undefined {
    let next: Sleeper | undefined
    for (const sleeper of this.#sleepers) {
      if (sleeper.wakesAt <= until && (!next || sleeper.wakesAt < next.wakesAt)) next = sleeper
    }
    return next
  }
}

/** Lets promise reactions and immediates run. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
