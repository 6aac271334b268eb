import { z } from 'zod'
import { Cache } from '../cache/cache.ts'
import type { AnyKysely } from '../cache/cache-calls.ts'
import { parseOptions } from '../errors/parse-options.ts'
import type { EntryOptions } from '../flow/entry-options.ts'

/**
 * `read-through`: the cache loads, once for all processes, and writes invalidate. `write-through`: besides, a written row
 * is in the cache again before the write returns. `cache-aside`: a caller that misses loads for itself at once, waits for
 * no other process, and leaves what it found; writes invalidate.
 */
export type Strategy = 'read-through' | 'write-through' | 'cache-aside'

/** Options of `cached`. */
export interface CachedOptions extends Omit<EntryOptions, 'tags' | 'loadGroup'> {
  readonly cache: Cache
  readonly strategy: Strategy
  /** Part of the key's name; default: the table. */
  readonly name?: string
  /** For `write-through`: where a row is read again after the commit of a transaction. */
  readonly db?: AnyKysely
  /** Which shard owns a key, so that loads are limited per shard. Default: one limit for the table. */
  readonly shardOf?: (key: unknown) => string
  /** Whether `findMany` is cached too; any write to the same key's rows of the table ends it. Default: true. */
  readonly lists?: boolean
}

const optionsSchema = z
  .looseObject({
    cache: z.instanceof(Cache, { error: 'a cache made by createCache is needed' }),
    strategy: z.enum(['read-through', 'write-through', 'cache-aside']),
    name: z.string().optional(),
    db: z.custom<AnyKysely>((value) => value === undefined || typeof value === 'object').optional(),
    lists: z.boolean().default(true),
    shardOf: z.custom<(key: unknown) => string>((value) => typeof value === 'function').optional(),
  })
  .check((context) => {
    if (context.value.strategy !== 'write-through' || context.value.db) return
    context.issues.push({
      code: 'custom',
      input: undefined,
      path: ['db'],
      message: 'write-through needs it, e.g. router.db',
    })
  })

export interface ResolvedCachedOptions {
  readonly cache: Cache
  readonly strategy: Strategy
  readonly name: string
  readonly db: AnyKysely | undefined
  readonly lists: boolean
  readonly shardOf: ((key: unknown) => string) | undefined
  readonly entry: EntryOptions
}

/** @throws CacheError CACHE_OPTIONS */
export function resolveCachedOptions(table: string, options: CachedOptions): ResolvedCachedOptions {
  const given = parseOptions('cached', optionsSchema, options)
  const {
    cache: _cache,
    strategy: _strategy,
    name: _name,
    db: _db,
    lists: _lists,
    shardOf: _shardOf,
    ...entry
  } = options
  const aside = given.strategy === 'cache-aside' ? { waitMs: 0 } : {}
  return Object.freeze({
    cache: given.cache,
    strategy: given.strategy,
    name: given.name ?? table.replaceAll(/[^\w.-]/g, '_'),
    db: given.db,
    lists: given.lists,
    shardOf: given.shardOf,
    entry: Object.freeze({ loadGroup: table, ...entry, ...aside }),
  })
}
