import type { Clock } from '@shardwright/core'
import { BudgetShare, type Place } from './budget-share.ts'
import { poolError } from './pool-error.ts'

interface Waiting {
  readonly share: BudgetShare
  readonly admit: () => void
}

/** Connections that nobody used for so long are anybody's. */
const restingMs = 250
/** An attempt to connect that takes so long may be one to a server that does not answer. */
const hangingMs = 1_000

/**
 * How many connections a process has to all servers together. Who comes when there is no room waits in line; idle
 * connections, of whichever server, make room for those that are needed. The server with the fewest is first: one that
 * hangs, and whose callers are many, does not take from the others what they work with.
 */
export class ConnectionBudget {
  readonly #limit: number
  readonly #clock: Clock
  readonly #refusal: (waitedMs: number) => Error
  readonly #shares = new Set<BudgetShare>()
  #line: Waiting[] = []
  #open = 0

  constructor(limit: number, clock: Clock, refusal = (waitedMs: number): Error => noConnection(limit, waitedMs)) {
    this.#limit = limit
    this.#clock = clock
    this.#refusal = refusal
  }

  /** What one server takes of it. */
  share(): BudgetShare {
    const share = new BudgetShare(this)
    this.#shares.add(share)
    return share
  }

  /** The server is closed: what it has is still counted, and nothing more can be had of it. */
  leave(share: BudgetShare): void {
    this.#shares.delete(share)
  }

  get open(): number {
    return this.#open
  }

  get full(): boolean {
    return this.#open >= this.#limit
  }

  /** True when a server with fewer connections waits: what `share` gives back should be closed. */
  isPressed(share: BudgetShare): boolean {
    return this.#line.some((waiting) => waiting.share.open < share.open)
  }

  /** @throws ConnectionError POOL_TIMEOUT */
  async enter(share: BudgetShare, timeoutMs: number, signal?: AbortSignal): Promise<Place> {
    signal?.throwIfAborted()
    if (this.full || this.#line.length > 0) await this.#wait(share, timeoutMs, signal)
    else {
      this.#open++
      share.open++
    }
    return share.place(this.#clock.monotonicMs(), () => this.#left(share))
  }

  async #wait(share: BudgetShare, timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<'room'>()
    const waiting: Waiting = { share, admit: () => resolve('room') }
    this.#line.push(waiting)
    this.#makeRoom(share)
    const again = setInterval(() => this.#makeRoom(share), restingMs)
    again.unref()
    const over = new AbortController()
    const stop = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal])
    const late = this.#clock.sleep(timeoutMs, { signal: stop }).catch(() => undefined)
    try {
      if ((await Promise.race([promise, late])) === 'room') return
    } finally {
      over.abort()
      clearInterval(again)
    }
    const place = this.#line.indexOf(waiting)
    // Admitted in the same instant: the room goes to the next.
    if (place < 0) this.#left(share)
    else this.#line.splice(place, 1)
    signal?.throwIfAborted()
    throw this.#refusal(timeoutMs)
  }

  #makeRoom(share: BudgetShare): void {
    const others = [...this.#shares].toSorted((a, b) => b.open - a.open)
    const richer = others.filter((other) => other.open > share.open)
    for (const other of [share, ...richer]) if (other.dropIdle(0)) return
    const hangingSince = this.#clock.monotonicMs() - hangingMs
    // Who waits for a server that does not answer has no use for more.
    if (share.isOpeningSince(hangingSince)) return
    for (const other of others) if (other.dropIdle(restingMs)) return
    for (const other of richer) if (other.giveUpOpening(hangingSince)) return
  }

  #left(share: BudgetShare): void {
    share.open--
    const fewest = Math.min(...this.#line.map((waiting) => waiting.share.open))
    const next = this.#line.findIndex((waiting) => waiting.share.open === fewest)
    const [admitted] = next < 0 ? [] : this.#line.splice(next, 1)
    if (admitted === undefined) this.#open--
    else {
      admitted.share.open++
      admitted.admit()
    }
  }
}

function noConnection(limit: number, waitedMs: number): Error {
  return poolError('POOL_TIMEOUT', `All ${limit} connections of this process were in use for ${waitedMs} ms.`, {
    hint: 'Raise `maxConnections`, or look for leases that are never released.',
    details: { sent: false },
  })
}
