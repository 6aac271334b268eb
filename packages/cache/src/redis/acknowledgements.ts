import type { Clock } from '@shardwright/core'

/** Counts who has dropped its copies after an invalidation. */
export class Acknowledgements {
  readonly #clock: Clock
  readonly #counts = new Map<string, { count: number; wake: (() => void) | undefined }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Before the message is sent, so that no answer is missed. */
  expect(id: string): void {
    this.#counts.set(id, { count: 0, wake: undefined })
  }

  add(id: string): void {
    const entry = this.#counts.get(id)
    if (!entry) return
    entry.count += 1
    entry.wake?.()
  }

  forget(id: string): void {
    this.#counts.delete(id)
  }

  /** True when `receivers` have answered; false after `waitMs`, when a silent one believes its copies no more. */
  async wait(id: string, receivers: number, waitMs: number): Promise<boolean> {
    const entry = this.#counts.get(id)
    if (!entry) return false
    if (entry.count < receivers) {
      const stop = new AbortController()
      const all = new Promise<void>((resolve) => {
        entry.wake = () => {
          if (entry.count >= receivers) resolve()
        }
      })
      await Promise.race([all, this.#clock.sleep(waitMs, { signal: stop.signal }).catch(() => undefined)])
      stop.abort()
    }
    this.#counts.delete(id)
    return entry.count >= receivers
  }
}
