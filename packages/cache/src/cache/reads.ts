import { CacheError } from '../errors/cache-error.ts'
import { EntryMaker } from '../flow/entry-maker.ts'
import type { ResolvedEntryOptions } from '../flow/entry-options.ts'
import type { Outcome } from '../flow/flight.ts'
import { Flights } from '../flow/flights.ts'
import { freshnessOf } from '../flow/freshness.ts'
import type { Load } from '../flow/load-context.ts'
import { LoadLimiter } from '../flow/load-limiter.ts'
import { LoadRunner, refuseRecursion } from '../flow/load-runner.ts'
import { ReadFlow, type ReadRequest } from '../flow/read-flow.ts'
import { NameCounters, type NameStatistics } from '../flow/statistics.ts'
import type { CacheTier } from '../tiers/cache-tier.ts'
import type { Entry } from '../tiers/entry.ts'
import { copyValue } from '../values/immutable.ts'
import type { PeekedEntry } from './cache-calls.ts'
import type { KeySpace } from './cache-key.ts'
import type { ResolvedCacheOptions } from './cache-options.ts'
import { Tags } from './tags.ts'

/** Reads by the text of a key: a look at the nearest tier, then the flow, shared by all callers of this process. */
export class Reads {
  readonly flights: Flights
  readonly #options: ResolvedCacheOptions
  readonly #keys: KeySpace
  readonly #flow: ReadFlow
  readonly #tags: Tags
  /** The nearest tier when it answers at once. */
  readonly #near: CacheTier | undefined
  readonly #counters = new Map<string, NameCounters>()
  #closed = false

  constructor(options: ResolvedCacheOptions, keys: KeySpace) {
    this.#options = options
    this.#keys = keys
    this.flights = new Flights(options.leases)
    this.#near = options.tiers[0]?.shared === false ? options.tiers[0] : undefined
    this.#tags = new Tags({
      tagKey: (tag) => keys.tagKey(tag),
      read: (key, entryOptions, load) =>
        this.#read({ key, options: entryOptions, load, counters: this.#countersOf('@tag') }),
      peek: (key) => this.#nearEntry(key)?.value,
    })
    this.#flow = new ReadFlow({
      tiers: options.tiers,
      clock: options.clock,
      leases: options.leases,
      runner: new LoadRunner(options.clock, new LoadLimiter(options.loadLimit)),
      maker: new EntryMaker(options),
      tagVersions: (tags) => this.#tags.versions(tags),
      tagsHold: (tags) => this.#tags.hold(tags),
    })
  }

  get coherent(): boolean {
    return this.#flow.coherent
  }

  get(key: string, name: string, load: Load<unknown>, options: ResolvedEntryOptions): Promise<unknown> {
    const counters = this.#countersOf(name)
    const request: ReadRequest = { key, options, load, counters }
    const nearest = this.#nearestEntry(key)
    if (nearest instanceof Promise) {
      return nearest.then((entry) => (this.#good(entry, options) ? this.#hit(entry, counters) : this.#read(request)))
    }
    return this.#good(nearest, options) ? Promise.resolve(this.#hit(nearest, counters)) : this.#read(request)
  }

  async peek(text: string): Promise<PeekedEntry | undefined> {
    if (!this.#flow.coherent) return undefined
    for (const tier of this.#options.tiers) {
      const entry = await tier.read(text)
      if (!entry || entry === 'unavailable' || !(await this.#tags.hold(entry.tags))) continue
      return Object.freeze({
        value: this.#hand(entry),
        tier: tier.name,
        freshUntil: new Date(entry.freshUntil),
        staleUntil: new Date(entry.staleUntil),
      })
    }
    return undefined
  }

  statistics(): Readonly<Record<string, NameStatistics>> {
    return Object.freeze(Object.fromEntries([...this.#counters].map(([name, counters]) => [name, counters.snapshot])))
  }

  close(): void {
    this.#closed = true
  }

  async #read(request: ReadRequest): Promise<unknown> {
    if (this.#closed) throw cacheClosed()
    refuseRecursion(request.key, request.key)
    const outcome = await this.flights.join(
      request.key,
      [...request.options.tags, ...request.options.absentTags].map((tag) => this.#keys.tagKey(tag)),
      (flight) => this.#flow.run(request, flight),
      () => request.counters.add('joined'),
    )
    return this.#handOutcome(outcome)
  }

  /** A look at the nearest tier before the flow: most calls end here. */
  #nearestEntry(key: string): Entry | undefined | Promise<Entry | undefined | 'unavailable'> {
    const nearest = this.#options.tiers[0]
    if (!nearest || this.#closed || !this.#flow.coherent) return undefined
    return nearest.read(key) as Entry | undefined | Promise<Entry | undefined | 'unavailable'>
  }

  /** Fresh beyond doubt, without waiting for anything. */
  #good(entry: Entry | undefined | 'unavailable', options: ResolvedEntryOptions): entry is Entry {
    if (entry === undefined || entry === 'unavailable') return false
    if (entry.tags.length > 0 && this.#tags.holdNow(entry.tags) !== true) return false
    return freshnessOf(entry, this.#options.clock.now(), options.earlyRefresh, Math.random) === 'fresh'
  }

  #hit(entry: Entry, counters: NameCounters): unknown {
    counters.hit(this.#options.tiers[0]!.name)
    return this.#hand(entry)
  }

  #nearEntry(key: string): Entry | undefined {
    if (!this.#near || !this.#flow.coherent || this.#closed) return undefined
    return this.#near.read(key) as Entry | undefined
  }

  #handOutcome(outcome: Outcome): unknown {
    return outcome.entry ? this.#hand(outcome.entry) : outcome.value
  }

  #hand(entry: Entry): unknown {
    return entry.keeping === 'shared' ? entry.value : copyValue(entry.value, this.#options.valueTypes)
  }

  #countersOf(name: string): NameCounters {
    let counters = this.#counters.get(name)
    if (!counters) {
      counters = new NameCounters(this.#options.telemetry, name)
      this.#counters.set(name, counters)
    }
    return counters
  }
}

export function cacheClosed(): CacheError {
  return new CacheError({
    code: 'CACHE_CLOSED',
    message: 'The cache was used after close().',
    hint: 'Close the cache last, after the work that reads from it.',
  })
}
