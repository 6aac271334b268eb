import type { ConnectionBudget } from './connection-budget.ts'

/** Who may give up a connection that nobody uses now. */
export interface IdleHolder {
  /** Closes one of its connections that were idle for so long; false when it has none. */
  dropIdle(idleMs: number): boolean
}

/** Room for one connection. */
export interface Place {
  /** Aborted when others need the room and the server does not answer. */
  readonly signal: AbortSignal
  /** The connection stands. */
  opened(): void
  /** It is gone, or did not come. */
  leave(): void
}

interface Opening {
  readonly since: number
  readonly abort: AbortController
}

/** What one server has of a budget. */
export class BudgetShare {
  readonly #budget: ConnectionBudget
  readonly #holders = new Set<IdleHolder>()
  readonly #opening = new Set<Opening>()
  /** Counted by the budget. */
  open = 0

  constructor(budget: ConnectionBudget) {
    this.#budget = budget
  }

  get full(): boolean {
    return this.#budget.full
  }

  get pressed(): boolean {
    return this.#budget.isPressed(this)
  }

  join(holder: IdleHolder): void {
    this.#holders.add(holder)
  }

  leave(holder: IdleHolder): void {
    this.#holders.delete(holder)
    if (this.#holders.size === 0) this.#budget.leave(this)
  }

  /** @throws ConnectionError POOL_TIMEOUT */
  enter(timeoutMs: number, signal?: AbortSignal): Promise<Place> {
    return this.#budget.enter(this, timeoutMs, signal)
  }

  /** `left` is called once. */
  place(now: number, left: () => void): Place {
    const opening: Opening = { since: now, abort: new AbortController() }
    this.#opening.add(opening)
    let gone = false
    return {
      signal: opening.abort.signal,
      opened: () => void this.#opening.delete(opening),
      leave: () => {
        if (gone) return
        gone = true
        this.#opening.delete(opening)
        left()
      },
    }
  }

  dropIdle(idleMs: number): boolean {
    for (const holder of this.#holders) if (holder.dropIdle(idleMs)) return true
    return false
  }

  isOpeningSince(since: number): boolean {
    return [...this.#opening].some((opening) => opening.since <= since)
  }

  /** Gives up an attempt to connect that began before `since`; false when there is none. */
  giveUpOpening(since: number): boolean {
    for (const opening of this.#opening) {
      if (opening.since > since) continue
      this.#opening.delete(opening)
      opening.abort.abort()
      return true
    }
    return false
  }
}
