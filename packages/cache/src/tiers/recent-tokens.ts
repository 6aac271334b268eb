import { type Clock, type CommitToken, ReadContext } from '@shardwright/core'

interface Remembered {
  readonly tokens: readonly CommitToken[]
  /** Epoch milliseconds. */
  readonly until: number
}

/**
 * What the loads of a key must have seen after its last invalidation: a replica that is behind would give the old value.
 * Bounded: what had to be forgotten early is asked of every load until its time is over.
 */
export class RecentTokens {
  readonly #ttlMs: number
  readonly #most: number
  /** The oldest first: all live equally long. */
  readonly #byKey = new Map<string, Remembered>()
  #ofAll: Remembered = nothing

  constructor(ttlMs: number, most: number) {
    this.#ttlMs = ttlMs
    this.#most = most
  }

  add(key: string, tokens: readonly CommitToken[], clock: Clock): void {
    if (tokens.length === 0) return
    const now = clock.now()
    const known = this.#live(this.#byKey.get(key), now)
    this.#byKey.delete(key)
    this.#byKey.set(key, { tokens: merged(known, tokens), until: now + this.#ttlMs })
    this.#prune(now)
  }

  of(key: string, clock: Clock): readonly CommitToken[] {
    if (this.#byKey.size === 0 && this.#ofAll === nothing) return nothing.tokens
    const now = clock.now()
    this.#prune(now)
    const own = this.#live(this.#byKey.get(key), now)
    const all = this.#live(this.#ofAll, now)
    return all.length === 0 ? own : merged(all, own)
  }

  clear(): void {
    this.#byKey.clear()
    this.#ofAll = nothing
  }

  #prune(now: number): void {
    if (this.#ofAll.until <= now) this.#ofAll = nothing
    for (const [key, remembered] of this.#byKey) {
      const over = remembered.until <= now
      if (!over && this.#byKey.size <= this.#most) return
      this.#byKey.delete(key)
      if (!over) this.#ofAll = { tokens: merged(this.#ofAll.tokens, remembered.tokens), until: remembered.until }
    }
  }

  #live(remembered: Remembered | undefined, now: number): readonly CommitToken[] {
    return remembered !== undefined && remembered.until > now ? remembered.tokens : nothing.tokens
  }
}

const nothing: Remembered = Object.freeze({ tokens: Object.freeze([]), until: 0 })

function merged(known: readonly CommitToken[], more: readonly CommitToken[]): readonly CommitToken[] {
  return known.length === 0 ? more : new ReadContext([...known, ...more]).tokens
}
