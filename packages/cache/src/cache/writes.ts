import type { CommitToken, Telemetry } from '@shardwright/core'
import type { Flights } from '../flow/flights.ts'
import type { CacheTier } from '../tiers/cache-tier.ts'

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

  async invalidate(keys: readonly string[], tokens: readonly CommitToken[]): Promise<'done' | 'late'> {
    if (keys.length === 0) return 'done'
    this.dropLocally(keys, tokens)
    const shared = this.#init.tiers.filter((tier) => tier.shared)
    const outcomes = await Promise.all(shared.map((tier) => tier.invalidate({ keys, tokens })))
    // Between the two, a reader here may have copied the old value from a shared tier.
    this.dropLocally(keys, tokens)
    return outcomes.includes('late') ? 'late' : 'done'
  }

  async clear(): Promise<'done' | 'late'> {
    this.dropEverythingLocal()
    const shared = this.#init.tiers.filter((tier) => tier.shared)
    const outcomes = await Promise.all(shared.map((tier) => tier.clear()))
    this.dropEverythingLocal()
    return outcomes.includes('late') ? 'late' : 'done'
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

  get #local(): readonly CacheTier[] {
    return this.#init.tiers.filter((tier) => !tier.shared)
  }
}
