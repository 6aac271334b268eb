import type { Telemetry } from '@shardwright/core'

/** Counts of one name of entries since the cache was made. */
export interface NameStatistics {
  /** By tier. */
  readonly hits: Readonly<Record<string, number>>
  readonly misses: number
  readonly loads: number
  readonly loadErrors: number
  /** Callers that joined another caller's load in this process. */
  readonly joined: number
  /** Times that another process's load was waited for. */
  readonly waits: number
  readonly staleServed: number
  readonly earlyRefreshes: number
  /** Values that were not kept because an invalidation came during the load. */
  readonly refusedFills: number
  /** Values of a type that cannot be kept exactly, or too large. */
  readonly notKept: number
  /** Hits of all tiers divided by hits and misses; 0 without any. */
  readonly hitRatio: number
}

type Counter = Exclude<keyof NameStatistics, 'hits' | 'hitRatio'>

/** Counts for `cache.statistics()` and reports each to telemetry. */
export class NameCounters {
  readonly #telemetry: Telemetry
  readonly #name: string
  readonly #attributes: Readonly<{ name: string }>
  readonly #hits = new Map<string, { count: number; readonly attributes: Readonly<{ name: string; tier: string }> }>()
  readonly #counts: Record<Counter, number> = {
    misses: 0,
    loads: 0,
    loadErrors: 0,
    joined: 0,
    waits: 0,
    staleServed: 0,
    earlyRefreshes: 0,
    refusedFills: 0,
    notKept: 0,
  }

  constructor(telemetry: Telemetry, name: string) {
    this.#telemetry = telemetry
    this.#name = name
    this.#attributes = Object.freeze({ name })
  }

  hit(tier: string): void {
    let counter = this.#hits.get(tier)
    if (!counter) {
      counter = { count: 0, attributes: Object.freeze({ name: this.#name, tier }) }
      this.#hits.set(tier, counter)
    }
    counter.count += 1
    this.#telemetry.count('shardwright.cache.hits', 1, counter.attributes)
  }

  add(counter: Counter): void {
    this.#counts[counter] += 1
    this.#telemetry.count(telemetryNames[counter], 1, this.#attributes)
  }

  loaded(durationMs: number): void {
    this.#telemetry.record('shardwright.cache.load_ms', durationMs, this.#attributes)
  }

  get snapshot(): NameStatistics {
    const hits = Object.fromEntries([...this.#hits].map(([tier, counter]) => [tier, counter.count]))
    const all = Object.values(hits).reduce((sum, count) => sum + count, 0)
    const asked = all + this.#counts.misses
    return Object.freeze({ ...this.#counts, hits: Object.freeze(hits), hitRatio: asked === 0 ? 0 : all / asked })
  }
}

const telemetryNames: Readonly<Record<Counter, string>> = Object.freeze({
  misses: 'shardwright.cache.misses',
  loads: 'shardwright.cache.loads',
  loadErrors: 'shardwright.cache.load_errors',
  joined: 'shardwright.cache.joined',
  waits: 'shardwright.cache.waits',
  staleServed: 'shardwright.cache.stale_served',
  earlyRefreshes: 'shardwright.cache.early_refreshes',
  refusedFills: 'shardwright.cache.refused_fills',
  notKept: 'shardwright.cache.not_kept',
})
