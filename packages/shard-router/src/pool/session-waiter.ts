import type { Clock } from '@shardwright/core'
import { deadlineError } from './deadline.ts'
import type { Session } from './session.ts'

interface WaitOptions {
  readonly signal?: AbortSignal | undefined
  readonly deadline?: number | undefined
}

/** One caller in the queue of a pool; leaves it when served, too late, or aborted. */
export class SessionWaiter {
  readonly promise: Promise<Session>
  #resolve!: (session: Session) => void
  #reject!: (error: unknown) => void
  readonly #timer: NodeJS.Timeout
  readonly #signal: AbortSignal | undefined
  readonly #leave: (waiter: SessionWaiter) => void
  readonly #abort = () => this.fail(this.#signal?.reason)

  constructor(
    label: string,
    acquireTimeoutMs: number,
    clock: Clock,
    options: WaitOptions,
    { late, leave }: { readonly late: () => Error; readonly leave: (waiter: SessionWaiter) => void },
  ) {
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.#leave = leave
    this.#signal = options.signal
    const left = options.deadline === undefined ? Number.POSITIVE_INFINITY : options.deadline - clock.monotonicMs()
    const waitMs = Math.max(0, Math.min(left, acquireTimeoutMs))
    this.#timer = setTimeout(() => {
      this.fail(left <= acquireTimeoutMs ? deadlineError(label) : late())
    }, waitMs)
    if (this.#signal?.aborted === true) queueMicrotask(this.#abort)
    this.#signal?.addEventListener('abort', this.#abort, { once: true })
  }

  serve(session: Session): void {
    this.#over()
    this.#resolve(session)
  }

  fail(error: unknown): void {
    this.#over()
    this.#reject(error)
  }

  #over(): void {
    clearTimeout(this.#timer)
    this.#signal?.removeEventListener('abort', this.#abort)
    this.#leave(this)
  }
}
