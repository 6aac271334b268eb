import { getEventListeners } from 'node:events'
import { pause } from './disturbance.ts'
import { LiveTimers } from './live-timers.ts'
import type { Pairs } from './pairs.ts'
import { sessionsOn } from './store.ts'

const sockets = new Set(['TCPSocketWrap', 'TCPConnectWrap', 'PipeConnectWrap'])
const patienceMs = 5_000

/** What a router may leave behind, counted before it is opened and after it was closed. */
export class Remains implements Disposable {
  readonly #pairs: Pairs
  readonly #signal: AbortSignal
  readonly #timers = new LiveTimers()
  readonly #socketsBefore = openSockets()
  readonly #listenersBefore = processListeners()

  /** `signal` is one that the router's callers have given with many statements. */
  constructor(pairs: Pairs, signal: AbortSignal) {
    this.#pairs = pairs
    this.#signal = signal
  }

  /** Servers may still be ending sessions whose clients have gone, so it looks for a while. */
  async problems(): Promise<readonly string[]> {
    for (let waitedMs = 0; ; waitedMs += 100) {
      const found = await this.#look()
      if (found.length === 0 || waitedMs >= patienceMs) return found
      await pause(100)
    }
  }

  async #look(): Promise<readonly string[]> {
    const sessions = await Promise.all(
      this.#pairs.servers.map(async ({ url, server }) => {
        const left = await sessionsOn(url)
        return left === 0 ? [] : [`${left} sessions are left on ${server.id} after close()`]
      }),
    )
    const more = (what: string, count: number) => (count > 0 ? [`${count} ${what} are left after close()`] : [])
    return [
      ...sessions.flat(),
      ...more('sockets', openSockets() - this.#socketsBefore),
      ...more('listeners of the process', processListeners() - this.#listenersBefore),
      ...more("listeners of a caller's signal", getEventListeners(this.#signal, 'abort').length),
      ...this.#timers.places.map((place) => `a timer is left after close(), set ${place}`),
    ]
  }

  [Symbol.dispose](): void {
    this.#timers[Symbol.dispose]()
  }
}

function openSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => sockets.has(name)).length
}

function processListeners(): number {
  return process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0)
}
