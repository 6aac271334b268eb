import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from './clock.ts'

/**
 * The machine's clock.
 * @example
 * await systemClock.sleep(250)
 */
export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: async (delayMs: number, options: { readonly signal?: AbortSignal; readonly unref?: boolean } = {}) => {
    options.signal?.throwIfAborted()
    const { signal } = options
    try {
      await delay(delayMs, undefined, { ref: options.unref !== true, ...(signal && { signal }) })
    } catch (error) {
      // Node wraps the reason in an AbortError of its own; the port promises the reason itself.
      signal?.throwIfAborted()
      throw error
    }
  },
})
