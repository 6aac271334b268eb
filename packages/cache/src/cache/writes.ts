import type { CommitToken, Telemetry } from '@shardwright/core'
import type { Flights } from '../flow/flights.ts'
import type { CacheTier, Invalidation } from '../tiers/cache-tier.ts'

export interface WritesInit {
  readonly tiers: readonly CacheTier[]
  readonly flights: Flights
  readonly telemetry: Telemetry
}

/** Invalidations: here at once, then in the shared tiers, then here again. */
export class Writes {
  readonly #init: WritesInit

  constructor(init: WritesInit) {
    this.#init = init
  }

  async invalidate({ keys, tokens, until }: Invalidation): Promise<'done' | 'late'> {
    if (keys.length === 0) return 'done'
    this.dropLocally(keys, tokens)
    const sent = until === undefined ? { keys, tokens } : { keys, tokens, until }
    const outcomes = await Promise.all(this.#shared.map((tier) => tier.invalidate(sent)))
    // Between the two, a reader here may have copied the old value from a shared tier.
    this.dropLocally(keys, tokens)
    return outcomes.includes('late') ? 'late' : 'done'
  }

  async clear(until?: Invalidation['until']): Promise<'done' | 'late'> {
    this.dropEverythingLocal()
    const outcomes = await Promise.all(this.#shared.map((tier) => tier.clear(until)))
    this.dropEverythingLocal()
    return outcomes.includes('late') ? 'late' : 'done'
  }

  /** Resolves when no process has copies of what was invalidated before the call, by whichever process. */
  async confirm(): Promise<void> {
    await Promise.all(this.#shared.map((tier) => tier.confirm?.()))
  }

  /** Local copies go, and loads that are under way in this process no longer count. */
  dropLocally(keys: readonly string[], tokens: readonly CommitToken[] = []): void {
    this.#init.flights.end(keys)
    for (const tier of this.#local) void tier.invalidate({ keys, tokens })
  }

  dropEverythingLocal(): void {
    this.#init.flights.endAll()
    for (const tier of this.#local) void tier.clear()
  }

  get #shared(): readonly CacheTier[] {
    return this.#init.tiers.filter((tier) => tier.shared)
  }

  get #local(): readonly CacheTier[] {
    return this.#init.tiers.filter((tier) => !tier.shared)
  }
}
