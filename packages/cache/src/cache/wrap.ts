import type { EntryOptions } from '../flow/entry-options.ts'
import type { Cache } from './cache.ts'
import type { InvalidateOptions, InvalidateOutcome, PeekedEntry } from './cache-calls.ts'

/** How the results of a function are kept. */
export interface WrapOptions<Args extends readonly unknown[]> extends Omit<EntryOptions, 'tags'> {
  readonly name: string
  /** Whose result it is: the shard key's value, or null. */
  readonly tenant: (...args: Args) => unknown
  /** Which result; default: all arguments. */
  readonly id?: (...args: Args) => unknown
  /** Known before the load, so that an invalidation during the load is not missed. */
  readonly tags?: readonly string[] | ((...args: Args) => readonly string[])
}

/** A function with the type of the one it wraps. */
export interface CachedFunction<Args extends readonly unknown[], T> {
  (...args: Args): Promise<T>
  /** Removes the result for these arguments. */
  invalidate(...args: Args): Promise<InvalidateOutcome>
  /** The same, with the transaction it belongs to. */
  invalidateWith(options: InvalidateOptions, ...args: Args): Promise<InvalidateOutcome>
  peek(...args: Args): Promise<PeekedEntry | undefined>
}

export function wrapFunction<Args extends readonly unknown[], T>(
  cache: Cache,
  load: (...args: Args) => Promise<T>,
  options: WrapOptions<Args>,
): CachedFunction<Args, T> {
  const { name, tenant, id, tags, ...entryOptions } = options
  const keyOf = (args: Args) => ({ name, tenant: tenant(...args), id: id ? id(...args) : args })
  const fixed = cache.resolve(
    typeof tags === 'function' || tags === undefined ? entryOptions : { ...entryOptions, tags },
  )
  const optionsOf = typeof tags === 'function' ? (args: Args) => ({ ...fixed, tags: tags(...args) }) : () => fixed
  const call = (...args: Args): Promise<T> => {
    try {
      const key = cache.keyText(keyOf(args))
      return cache.getByText(key, name, () => load(...args), optionsOf(args)) as Promise<T>
    } catch (error) {
      return Promise.reject(error)
    }
  }
  return Object.assign(call, {
    invalidate: (...args: Args) => cache.invalidate(keyOf(args)),
    invalidateWith: (invalidateOptions: InvalidateOptions, ...args: Args) =>
      cache.invalidate(keyOf(args), invalidateOptions),
    peek: (...args: Args) => cache.peek(keyOf(args)),
  })
}
