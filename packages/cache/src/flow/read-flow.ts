import { type Clock, type CommitToken, compareLsn } from '@shardwright/core'
import type { CacheTier, Lease } from '../tiers/cache-tier.ts'
import { encodeTags } from '../tiers/encode-tags.ts'
import type { Entry, TagVersion } from '../tiers/entry.ts'
import type { EntryMaker } from './entry-maker.ts'
import type { ResolvedEntryOptions } from './entry-options.ts'
import type { Flight, Outcome } from './flight.ts'
import { type Freshness, freshnessOf } from './freshness.ts'
import type { Load } from './load-context.ts'
import type { LoadRunner } from './load-runner.ts'
import type { NameCounters } from './statistics.ts'

/** What one call asks for. */
export interface ReadRequest {
  readonly key: string
  readonly options: ResolvedEntryOptions
  readonly load: Load<unknown>
  readonly counters: NameCounters
}

/** A lease and the tier that gave it. */
interface Holding {
  readonly tier: CacheTier
  readonly lease: Lease
}

export interface ReadFlowInit {
  readonly tiers: readonly CacheTier[]
  readonly clock: Clock
  readonly leases: boolean
  readonly runner: LoadRunner
  readonly maker: EntryMaker
  /** The current versions of tags; their invalidation is that of their own entries. */
  readonly tagVersions: (
    tags: readonly string[],
  ) => Promise<{ versions: readonly TagVersion[]; requires: readonly CommitToken[] }>
  readonly tagsHold: (tags: readonly TagVersion[]) => boolean | Promise<boolean>
}

/** The search through the tiers: a usable entry, or the leases under which a load may fill. */
interface Search {
  readonly holdings: Holding[]
  readonly requires: CommitToken[]
  found: { readonly entry: Entry; readonly tier: CacheTier; readonly freshness: Freshness } | undefined
  /** Past its ttl, yet better than an error. */
  fallback: Entry | undefined
}

/** The one flow over the list of tiers: look, lease, load, fill. */
export class ReadFlow {
  readonly #init: ReadFlowInit
  readonly #refreshing = new Map<string, number>()

  constructor(init: ReadFlowInit) {
    this.#init = init
  }

  /** True when every shared tier answers and no invalidation can have been missed. */
  get coherent(): boolean {
    for (const tier of this.#init.tiers) if (tier.shared && !tier.trusted) return false
    return true
  }

  async run(request: ReadRequest, flight: Flight): Promise<Outcome> {
    const search: Search = { holdings: [], requires: [], found: undefined, fallback: undefined }
    try {
      // Without word from the shared tier nothing local can be believed or kept.
      for (const tier of this.coherent ? this.#init.tiers : []) {
        await this.#consult(tier, request, search)
        if (search.found) return await this.#hit(request, search, flight)
      }
      request.counters.add('misses')
      return await this.#loadAndFill(request, search, flight)
    } finally {
      this.#releaseAll(search, false)
    }
  }

  /** Loads anew what is there, unless somebody already does. Never fails: the old entry stays until its hard limit. */
  refresh(request: ReadRequest, seen: Entry, flight: Flight): void {
    const { clock } = this.#init
    const notBefore = this.#refreshing.get(request.key)
    if (notBefore !== undefined && clock.monotonicMs() < notBefore) return
    this.#refreshing.set(request.key, Number.POSITIVE_INFINITY)
    request.counters.add('earlyRefreshes')
    this.#refresh(request, seen, flight).then(
      () => this.#refreshing.delete(request.key),
      () => this.#pauseRefresh(request.key),
    )
  }

  async #refresh(request: ReadRequest, seen: Entry, flight: Flight): Promise<void> {
    const search: Search = { holdings: [], requires: [], found: undefined, fallback: undefined }
    try {
      for (const tier of this.coherent ? this.#init.tiers : []) {
        const acquired = await tier.acquire(request.key, seen, request.options.leaseMs)
        // Another process was faster: its value goes to the tiers above.
        if (acquired.kind === 'entry') await this.#fill(search, acquired.entry)
        if (acquired.kind !== 'lease') return
        search.holdings.push({ tier, lease: acquired.lease })
        search.requires.push(...acquired.requires)
      }
      if (search.holdings.length > 0) await this.#loadAndFill(request, search, flight)
    } finally {
      this.#releaseAll(search, false)
    }
  }

  /** After a failed refresh the source is left alone for a moment. */
  #pauseRefresh(key: string): void {
    this.#refreshing.set(key, this.#init.clock.monotonicMs() + refreshPauseMs)
    const timer = setTimeout(() => this.#refreshing.delete(key), refreshPauseMs)
    timer.unref()
  }

  async #consult(tier: CacheTier, request: ReadRequest, search: Search): Promise<void> {
    const read = await tier.read(request.key)
    if (read === 'unavailable') return
    if (read && (await this.#judge(tier, request, search, read))) return
    const acquired = await tier.acquire(request.key, read, request.options.leaseMs)
    if (acquired.kind === 'lease') {
      search.holdings.push({ tier, lease: acquired.lease })
      search.requires.push(...acquired.requires)
    } else if (acquired.kind === 'entry') {
      await this.#judge(tier, request, search, acquired.entry)
    } else if (acquired.kind === 'held') {
      await this.#wait(tier, request, search)
    }
  }

  /** True when the entry is good enough to be returned. */
  async #judge(tier: CacheTier, request: ReadRequest, search: Search, entry: Entry): Promise<boolean> {
    const { clock } = this.#init
    if (entry.tags.length > 0 && !(await this.#init.tagsHold(entry.tags))) return false
    const freshness = freshnessOf(entry, clock.now(), request.options.earlyRefresh, Math.random)
    const servable = freshness !== 'stale' || clock.now() < entry.freshUntil + request.options.staleWhileRevalidateMs
    if (servable) search.found = { entry, tier, freshness }
    else search.fallback = entry
    return servable
  }

  /** Another process loads: its value is waited for within the budget, or an old one taken at once. */
  async #wait(tier: CacheTier, request: ReadRequest, search: Search): Promise<void> {
    const { clock } = this.#init
    if (search.fallback && this.#mayServe(search.fallback, request)) {
      search.found = { entry: search.fallback, tier, freshness: 'fresh' }
      request.counters.add('staleServed')
      return
    }
    if (request.options.waitMs === 0) return
    request.counters.add('waits')
    const until = clock.monotonicMs() + request.options.waitMs
    for (let pauseMs = firstPollMs; clock.monotonicMs() < until; pauseMs = Math.min(pauseMs * 2, lastPollMs)) {
      await clock.sleep(pauseMs * (0.75 + Math.random() / 2))
      const read = await tier.read(request.key)
      if (read === 'unavailable') return
      if (read && (await this.#judge(tier, request, search, read))) return
      const acquired = await tier.acquire(request.key, read, request.options.leaseMs)
      if (acquired.kind === 'unavailable') return
      if (acquired.kind === 'entry' && (await this.#judge(tier, request, search, acquired.entry))) return
      if (acquired.kind !== 'lease') continue
      search.holdings.push({ tier, lease: acquired.lease })
      search.requires.push(...acquired.requires)
      return
    }
  }

  #mayServe(entry: Entry, request: ReadRequest): boolean {
    const { staleIfErrorMs, staleWhileRevalidateMs } = request.options
    return this.#init.clock.now() < entry.freshUntil + Math.max(staleIfErrorMs, staleWhileRevalidateMs)
  }

  async #hit(request: ReadRequest, search: Search, flight: Flight): Promise<Outcome> {
    const { entry, tier, freshness } = search.found!
    request.counters.hit(tier.name)
    if (freshness === 'stale') request.counters.add('staleServed')
    if (freshness !== 'fresh') this.refresh(request, entry, flight)
    const filled = await this.#fill(search, entry)
    return { value: entry.value, entry, verified: this.#verified(flight) && filled }
  }

  async #loadAndFill(request: ReadRequest, search: Search, flight: Flight): Promise<Outcome> {
    const { options, counters } = request
    const wanted = [...options.tags, ...options.absentTags]
    const tags = wanted.length === 0 ? noTags : await this.#init.tagVersions(wanted)
    const requires = [...search.requires, ...tags.requires]
    const renewals = this.#keepLeases(search, options.leaseMs)
    try {
      // Refused before the load, whose value nothing could keep.
      encodeTags(tags.versions)
      const loaded = await this.#init.runner.run(request, requires)
      const carried = loaded.value === undefined ? tags.versions : tags.versions.slice(0, options.tags.length)
      const made = this.#init.maker.make(loaded.value, loaded.durationMs, options, carried)
      const old = isOlder(loaded.readAt, requires)
      if (!made || old || !loaded.keep) {
        counters.add('notKept')
        // An old entry must not outlive the new value that could not be kept.
        this.#releaseAll(search, !old)
        return { value: loaded.value, entry: made, verified: !old && this.#verified(flight) }
      }
      const filled = await this.#fill(search, made, options.sharedFirst)
      if (!filled) counters.add('refusedFills')
      return { value: made.value, entry: made, verified: this.#verified(flight) && filled }
    } catch (error) {
      const old = search.fallback
      if (!old || this.#init.clock.now() >= old.freshUntil + options.staleIfErrorMs) throw error
      counters.add('staleServed')
      return { value: old.value, entry: old, verified: this.#verified(flight) }
    } finally {
      clearInterval(renewals)
    }
  }

  /** The shared tier first: where it refuses, nothing local is kept. False when a lease had ended. */
  async #fill(search: Search, entry: Entry, sharedFirst = false): Promise<boolean> {
    let shared = !sharedFirst || !this.#init.tiers.some((tier) => tier.shared)
    for (;;) {
      const holding = search.holdings.pop()
      if (!holding) return true
      if (!shared && !holding.tier.shared) {
        void holding.tier.release(holding.lease, false)
        continue
      }
      // Looked at again for each tier: the link may have gone since the lease was given.
      if (this.#init.leases && !this.coherent) {
        void holding.tier.release(holding.lease, false)
        continue
      }
      const outcome = await holding.tier.fill(holding.lease, entry)
      if (outcome === 'refused') return false
      if (outcome === 'stored') shared = true
    }
  }

  #verified(flight: Flight): boolean {
    return !this.#init.leases || (!flight.dirty && this.coherent)
  }

  #keepLeases(search: Search, leaseMs: number): NodeJS.Timeout {
    const holdings = search.holdings.filter((holding) => holding.tier.shared)
    const timer = setInterval(() => {
      for (const { tier, lease } of holdings) void tier.renew(lease, leaseMs)
    }, leaseMs / 3)
    timer.unref()
    return timer
  }

  #releaseAll(search: Search, drop: boolean): void {
    for (const { tier, lease } of search.holdings.splice(0)) void tier.release(lease, drop)
  }
}

const noTags = Object.freeze({
  versions: Object.freeze([]) as readonly TagVersion[],
  requires: Object.freeze([]) as readonly CommitToken[],
})
const firstPollMs = 4
const lastPollMs = 50
const refreshPauseMs = 1_000

/** True when the source of a load had not come as far as the last invalidation. */
function isOlder(readAt: readonly CommitToken[], requires: readonly CommitToken[]): boolean {
  return requires.some((needed) =>
    readAt.some(
      (token) =>
        token.shard === needed.shard &&
        token.incarnation === needed.incarnation &&
        compareLsn(token.lsn, needed.lsn) < 0,
    ),
  )
}
