import type { Clock } from '@shardwright/core'
import { poolError } from './pool-error.ts'

/** Who may give up a connection that nobody uses now. */
export interface IdleHolder {
  /** Closes one of its idle connections; false when it has none. */
  dropIdle(): boolean
}

interface Waiting {
  readonly admit: () => void
}

/**
 * How many connections a process has to all servers together. Who comes when there is no room waits in line; idle
 * connections, of whichever server, make room for those that are needed.
 */
export class ConnectionBudget {
  readonly #limit: number
  readonly #clock: Clock
  readonly #refusal: (waitedMs: number) => Error
  readonly #holders = new Set<IdleHolder>()
  readonly #line: Waiting[] = []
  #open = 0

  constructor(limit: number, clock: Clock, refusal = (waitedMs: number): Error => noConnection(limit, waitedMs)) {
    this.#limit = limit
    this.#clock = clock
    this.#refusal = refusal
  }

  get open(): number {
    return this.#open
  }

  /** True when somebody waits: what is given back should be closed. */
  get pressed(): boolean {
    return this.#line.length > 0
  }

  get full(): boolean {
    return this.#open >= this.#limit
  }

  join(holder: IdleHolder): void {
    this.#holders.add(holder)
  }

  leave(holder: IdleHolder): void {
    this.#holders.delete(holder)
  }

  /**
   * Room for one connection; call the result once when the connection is gone.
   * @throws ConnectionError POOL_TIMEOUT
   */
  async enter(timeoutMs: number, signal?: AbortSignal): Promise<() => void> {
    signal?.throwIfAborted()
    if (this.full || this.pressed) await this.#wait(timeoutMs, signal)
    else this.#open++
    let left = false
    return () => {
      if (left) return
      left = true
      this.#freed()
    }
  }

  async #wait(timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<'room'>()
    const waiting: Waiting = { admit: () => resolve('room') }
    this.#line.push(waiting)
    for (const holder of this.#holders) if (holder.dropIdle()) break
    const over = new AbortController()
    const stop = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal])
    const late = this.#clock.sleep(timeoutMs, { signal: stop }).catch(() => undefined)
    try {
      if ((await Promise.race([promise, late])) === 'room') return
    } finally {
      over.abort()
    }
    const place = this.#line.indexOf(waiting)
    // Admitted in the same instant: the room goes to the next.
    if (place < 0) this.#freed()
    else this.#line.splice(place, 1)
    signal?.throwIfAborted()
    throw this.#refusal(timeoutMs)
  }

  #freed(): void {
    const next = this.#line.shift()
    if (next === undefined) this.#open--
    else next.admit()
  }
}

function noConnection(limit: number, waitedMs: number): Error {
  return poolError('POOL_TIMEOUT', `All ${limit} connections of this process were in use for ${waitedMs} ms.`, {
    hint: 'Raise `maxConnections`, or look for leases that are never released.',
    details: { sent: false },
  })
}
