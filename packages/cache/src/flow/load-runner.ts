import { AsyncLocalStorage } from 'node:async_hooks'
import { type Clock, type CommitToken, currentReadContext, ReadContext, runInReadContext } from '@shardwright/core'
import { CacheError } from '../errors/cache-error.ts'
import type { LoadContext } from './load-context.ts'
import type { LoadLimiter } from './load-limiter.ts'
import type { ReadRequest } from './read-flow.ts'

/** A value with what is known about its source. */
export interface Loaded {
  readonly value: unknown
  readonly durationMs: number
  readonly readAt: readonly CommitToken[]
  /** False when the load asked not to store it. */
  readonly keep: boolean
}

const loading = new AsyncLocalStorage<ReadonlySet<string>>()

/** @throws CacheError CACHE_LOAD_RECURSION when the caller is the load of this very key: it would wait for itself. */
export function refuseRecursion(key: string, name: string): void {
  if (!loading.getStore()?.has(key)) return
  throw new CacheError({
    code: 'CACHE_LOAD_RECURSION',
    message: `The load of an entry named '${name}' asks the cache for that same entry.`,
    hint: 'Read the database inside a load, or another entry.',
    details: { name },
  })
}

/** Runs loads: within the limit of their group, in a read context that holds what the source must have seen. */
export class LoadRunner {
  readonly #clock: Clock
  readonly #limiter: LoadLimiter

  constructor(clock: Clock, limiter: LoadLimiter) {
    this.#clock = clock
    this.#limiter = limiter
  }

  async run(request: ReadRequest, requires: readonly CommitToken[]): Promise<Loaded> {
    const { counters, options, key } = request
    const readAt: CommitToken[] = []
    let keep = true
    const context: LoadContext = Object.freeze({
      requires,
      readAt: (token: CommitToken) => void readAt.push(token),
      doNotKeep: () => {
        keep = false
      },
    })
    const inside = new Set([...(loading.getStore() ?? []), key])
    const load = async (): Promise<Loaded> => {
      counters.add('loads')
      const startedAt = this.#clock.monotonicMs()
      const value = await loading.run(inside, async () => await request.load(context))
      const durationMs = this.#clock.monotonicMs() - startedAt
      counters.loaded(durationMs)
      return { value, durationMs, readAt, keep }
    }
    try {
      // A load inside a load has its place already: were it to queue, both could wait for each other.
      if (inside.size > 1) return await underTokens(requires, load)
      return await this.#limiter.run(options.loadGroup, () => underTokens(requires, load))
    } catch (error) {
      counters.add('loadErrors')
      throw error
    }
  }
}

function underTokens<T>(requires: readonly CommitToken[], work: () => Promise<T>): Promise<T> {
  if (requires.length === 0) return work()
  return runInReadContext(new ReadContext([...(currentReadContext()?.tokens ?? []), ...requires]), work)
}
