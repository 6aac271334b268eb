/**
 * Sees every timer that the library sets from now on, also those that hold no process open, which
 * `process.getActiveResourcesInfo()` leaves out. Timers of the suite and of the test runner are nobody's concern.
 */
export class LiveTimers implements Disposable {
  readonly #given = { setTimeout, setInterval, clearTimeout, clearInterval }
  readonly #live = new Map<unknown, string>()

  constructor() {
    globalThis.setTimeout = this.#watched(setTimeout, true)
    globalThis.setInterval = this.#watched(setInterval, false)
    globalThis.clearTimeout = this.#forgetting(clearTimeout)
    globalThis.clearInterval = this.#forgetting(clearInterval)
  }

  /** Where those were set that are neither over nor cleared. */
  get places(): readonly string[] {
    return [...this.#live.values()]
  }

  [Symbol.dispose](): void {
    Object.assign(globalThis, this.#given)
  }

  #watched<T extends typeof setTimeout | typeof setInterval>(set: T, once: boolean): T {
    const watched = (work: (...given: unknown[]) => void, ...rest: unknown[]): unknown => {
      const place = placeOf(new Error().stack ?? '')
      const run = (...given: unknown[]) => {
        if (once) this.#live.delete(timer)
        work(...given)
      }
      const timer: unknown = Reflect.apply(set, globalThis, [run, ...rest])
      if (place !== undefined) this.#live.set(timer, place)
      return timer
    }
    return Object.defineProperties(watched, Object.getOwnPropertyDescriptors(set)) as unknown as T
  }

  #forgetting<T extends typeof clearTimeout | typeof clearInterval>(clear: T): T {
    return ((timer: never) => {
      this.#live.delete(timer)
      clear(timer)
    }) as T
  }
}

function placeOf(stack: string): string | undefined {
  const caller = stack.split('\n')[2] ?? ''
  return /packages\/(?:shard-router|core)\/|node_modules\/(?:pg|cockatiel)/.test(caller) ? caller.trim() : undefined
}
