import { type CommitScope, commitScopeOf } from '@shardwright/core'
import type { Kysely } from 'kysely'
import { CacheError } from '../errors/cache-error.ts'
import { type ResolvedEntryOptions, resolveEntryOptions } from '../flow/entry-options.ts'
import type { Load } from '../flow/load-context.ts'
import type { NameStatistics } from '../flow/statistics.ts'
import type { InvalidateOptions, InvalidateOutcome, PeekedEntry, ReadOptions } from './cache-calls.ts'
import { type CacheKey, KeySpace } from './cache-key.ts'
import {
  type CacheOptions,
  type InvalidationSource,
  type ResolvedCacheOptions,
  resolveCacheOptions,
} from './cache-options.ts'
import { CommitBatches } from './commit-batches.ts'
import { cacheClosed, Reads } from './reads.ts'
import { type WarmEntry, type WarmResult, warmEntries } from './warm.ts'
import { type CachedFunction, type WrapOptions, wrapFunction } from './wrap.ts'
import { Writes } from './writes.ts'

/**
 * Makes a cache over a list of tiers, nearest first; memory alone by default.
 * @throws CacheError CACHE_OPTIONS
 * @example
 * const cache = createCache({ namespace: 'shop', tiers: [memoryTier(), redisTier({ client })] })
 * await cache.getOrLoad({ name: 'wallet', tenant: 'f1', id: 'w1' }, () => findWallet('f1', 'w1'), { ttlMs: 60_000 })
 */
export function createCache(options: CacheOptions): Cache {
  return new Cache(resolveCacheOptions(options))
}

/** Values by key: found in a tier, or loaded once for all who ask. Made by `createCache`. */
export class Cache {
  readonly #options: ResolvedCacheOptions
  readonly #keys: KeySpace
  readonly #reads: Reads
  readonly #writes: Writes
  readonly #batches = new CommitBatches((keys, commit) => this.#writes.invalidate({ keys, tokens: commit.tokens }))
  readonly #resolved = new WeakMap<object, ResolvedEntryOptions>()
  readonly #opened: Promise<void>
  #closed = false

  constructor(options: ResolvedCacheOptions) {
    this.#options = options
    this.#keys = new KeySpace(options.namespace)
    this.#reads = new Reads(options, this.#keys)
    this.#writes = new Writes({ tiers: options.tiers, flights: this.#reads.flights, telemetry: options.telemetry })
    this.#opened = this.#open()
  }

  /** Waits until the tiers have been opened; calls before that are answered by their loads. */
  async ready(): Promise<this> {
    await this.#opened
    return this
  }

  /** True when every shared tier answers and no invalidation can have been missed. */
  get coherent(): boolean {
    return this.#reads.coherent
  }

  /**
   * The value of an entry: from the nearest tier that has it, or from `load`. `undefined` is an absent value and kept for
   * `absentTtlMs`; null, 0, '' and false are values like any other. Plain values come frozen, others as copies.
   * @throws CacheError CACHE_LOADS_SATURATED, CACHE_LOAD_RECURSION, CACHE_CLOSED, CACHE_KEY; and what `load` throws
   */
  getOrLoad<T>(key: CacheKey, load: Load<T>, options?: ReadOptions): Promise<T> {
    try {
      return this.getByText(this.#keys.keyOf(key), key.name, load, this.resolve(options)) as Promise<T>
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Like `getOrLoad`, for a key and options that were prepared: what wrappers use. */
  getByText(key: string, name: string, load: Load<unknown>, options: ResolvedEntryOptions): Promise<unknown> {
    return this.#reads.get(key, name, load, options)
  }

  /**
   * Gives a function of the same type whose results are cached.
   * @example
   * const balance = cache.wrap(findBalance, { name: 'balance', tenant: (festivalId) => festivalId, ttlMs: 60_000 })
   * await balance('f1', 'w1'); await balance.invalidate('f1', 'w1')
   */
  wrap<Args extends readonly unknown[], T>(
    load: (...args: Args) => Promise<T>,
    options: WrapOptions<Args>,
  ): CachedFunction<Args, T> {
    return wrapFunction(this, load, options)
  }

  /** Removes entries everywhere. Resolves when no process can read them any more, or as `late`. Never throws for Redis. */
  async invalidate(keys: CacheKey | readonly CacheKey[], options: InvalidateOptions = {}): Promise<InvalidateOutcome> {
    const list = Array.isArray(keys) ? (keys as readonly CacheKey[]) : [keys as CacheKey]
    return await this.invalidateTexts(
      list.map((key) => this.#keys.keyOf(key)),
      options,
    )
  }

  /** Ends all entries that carry one of these tags, at the cost of one entry. */
  async invalidateTag(tags: string | readonly string[], options: InvalidateOptions = {}): Promise<InvalidateOutcome> {
    const list = typeof tags === 'string' ? [tags] : tags
    return await this.invalidateTexts(
      list.map((tag) => this.#keys.tagKey(tag)),
      options,
    )
  }

  /** Like `invalidate`, for keys as text (`keyText`, `tagText`). */
  async invalidateTexts(keys: readonly string[], options: InvalidateOptions = {}): Promise<InvalidateOutcome> {
    this.#refuseClosed()
    const { within, tokens = [] } = options
    if (!within) return await this.#writes.invalidate({ keys, tokens })
    const scope = await commitScopeOf(within as Kysely<never>)
    if (scope) {
      this.invalidateAtCommit(scope, keys)
      return 'at-commit'
    }
    if (within.isTransaction) throw noScope()
    return await this.#writes.invalidate({ keys, tokens })
  }

  /** Invalidates when the transaction commits, together with its other invalidations; `afterwards` runs then. */
  invalidateAtCommit(scope: CommitScope, keys: readonly string[], afterwards?: () => Promise<void>): void {
    this.#refuseClosed()
    this.#batches.add(scope, keys, afterwards)
  }

  /** Removes every entry of the namespace, in all processes. */
  async clear(): Promise<InvalidateOutcome> {
    this.#refuseClosed()
    return await this.#writes.clear()
  }

  /** Loads entries that are not there yet, `concurrency` (8) at a time. Gives how many failed. */
  async warm<T>(entries: Iterable<WarmEntry<T>>, options: { readonly concurrency?: number } = {}): Promise<WarmResult> {
    return await warmEntries(this, entries, options.concurrency)
  }

  /** The entry as the nearest tier has it, without loading. `undefined` when there is none that may be believed. */
  async peek(key: CacheKey): Promise<PeekedEntry | undefined> {
    return await this.#reads.peek(this.#keys.keyOf(key))
  }

  /** Counts by name of entry since the cache was made. */
  statistics(): Readonly<Record<string, NameStatistics>> {
    return this.#reads.statistics()
  }

  /** Where invalidations come from that no process could send, if the cache was given one. */
  get outbox(): InvalidationSource | undefined {
    return this.#options.outbox
  }

  /** The text of a key, as tiers and the outbox use it. */
  keyText(key: CacheKey): string {
    return this.#keys.keyOf(key)
  }

  /** The text of a tag's own entry. */
  tagText(tag: string): string {
    return this.#keys.tagKey(tag)
  }

  /** Options over the cache's defaults; checked once per object. */
  resolve(options: ReadOptions | undefined): ResolvedEntryOptions {
    if (options === undefined) return this.#options.defaults
    const known = this.#resolved.get(options)
    if (known) return known
    const { absentTags = [], ...rest } = options
    const resolved = Object.freeze({ ...resolveEntryOptions(this.#options.defaults, rest), absentTags })
    this.#resolved.set(options, resolved)
    return resolved
  }

  /** Ends the link and the outbox. Late invalidations that could not be sent are counted as lost. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#reads.close()
    await this.#opened
    await this.#options.outbox?.close()
    await Promise.all(this.#options.tiers.map((tier) => tier.close()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #open(): Promise<void> {
    const { tiers, namespace, fingerprint, clock, telemetry, valueTypes, leases, outbox } = this.#options
    outbox?.start(namespace, async (texts) => await this.#deliver(texts), {
      up: () => this.coherent,
      confirm: async () => await this.#writes.confirm(),
    })
    const listener = {
      invalidated: (keys: readonly string[]) => this.#writes.dropLocally(keys),
      lost: () => this.#writes.dropEverythingLocal(),
    }
    const catchUp = async (): Promise<void> => await outbox?.catchUp()
    await Promise.all(
      tiers.map((tier) =>
        tier.open({ namespace, fingerprint, clock, telemetry, valueTypes, leases, listener, catchUp }),
      ),
    )
  }

  /** What an outbox brings is sent and no more: nobody waits for it, and the next rows must not wait for a silent process. */
  async #deliver(texts: readonly string[] | 'everything'): Promise<void> {
    const sent =
      texts === 'everything'
        ? this.#writes.clear('sent')
        : this.#writes.invalidate({ keys: texts, tokens: [], until: 'sent' })
    if ((await sent) === 'late') throw lateDelivery()
  }

  #refuseClosed(): void {
    if (this.#closed) throw cacheClosed()
  }
}

function noScope(): CacheError {
  return new CacheError({
    code: 'COMMIT_SCOPE_REQUIRED',
    message: 'An invalidation was asked for inside a transaction that cannot tell when it commits.',
    hint: 'Use a transaction of a shard router, or invalidate after the transaction has returned.',
  })
}

function lateDelivery(): Error {
  return new Error('an invalidation of the outbox could not be sent; its row stays')
}
