import type { AtomicContext } from './atomic-context.ts'
import { circleThrough, lastingWaits, readWaits, type Wait } from './wait-graph.ts'

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-7/

/**
 * Looks, as long as a statement lasts, whether its transaction waits in a circle that leads over several servers. Each
 * process only ever gives up its own transaction, and only when it is the youngest of the circle: so one is given up.
 */
export class DeadlockWatch {
  readonly #context: AtomicContext
  readonly #txid: string
  readonly #giveUp: () => void
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  constructor(context: AtomicContext, txid: string, giveUp: () => void) {
    this.#context = context
    this.#txid = txid
    this.#giveUp = giveUp
    this.#lookLater()
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  #lookLater(): void {
    this.#timer = setTimeout(() => void this.#look(), this.#context.settings.deadlockAfterMs)
    this.#timer.unref()
  }

  async #look(): Promise<void> {
    // The servers are not asked at one instant: a circle is real when all of its waits were there before and after.
    const before = await readWaits(this.#context)
    if (!this.#stopped && circleThrough(this.#txid, before)) {
      const circle = circleThrough(this.#txid, lastingWaits(before, await readWaits(this.#context)))
      if (!this.#stopped && circle && this.#isYoungestOf(circle)) return this.#giveUp()
    }
    if (!this.#stopped) this.#lookLater()
  }

  /** The names begin with the time of their making. */
  #isYoungestOf(circle: readonly Wait[]): boolean {
    return circle.every(({ waiter }) => !uuid.test(waiter) || waiter <= this.#txid)
  }
}
