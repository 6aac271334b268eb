import type { Load } from '../flow/load-context.ts'
import type { Cache } from './cache.ts'
import type { ReadOptions } from './cache-calls.ts'
import type { CacheKey } from './cache-key.ts'

/** An entry to be there before it is asked for. */
export interface WarmEntry<T> {
  readonly key: CacheKey
  readonly load: Load<T>
  readonly options?: ReadOptions
}

export interface WarmResult {
  readonly warmed: number
  readonly failed: number
}

const defaultConcurrency = 8

/** Reads each entry; what is there already is not loaded. One that fails does not stop the others. */
export async function warmEntries<T>(
  cache: Cache,
  entries: Iterable<WarmEntry<T>>,
  concurrency = defaultConcurrency,
): Promise<WarmResult> {
  const iterator = entries[Symbol.iterator]()
  const result = { warmed: 0, failed: 0 }
  const worker = async (): Promise<void> => {
    for (let next = iterator.next(); !next.done; next = iterator.next()) {
      const { key, load, options } = next.value
      await cache.getOrLoad(key, load, options).then(
        () => result.warmed++,
        () => result.failed++,
      )
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  return Object.freeze(result)
}
