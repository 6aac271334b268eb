/** The codes of `CacheError`, for docs/errors.md. */
export const cacheErrorCodes = Object.freeze({
  CACHE_OPTIONS: {
    meaning: 'An option of the cache, of a tier or of an entry is missing or not valid.',
    remedy: 'Correct the option that the message names.',
  },
  CACHE_KEY: {
    meaning: 'A part of a cache key has no canonical text: a function, a symbol, an instance of a class, a cycle.',
    remedy:
      'Build keys from strings, numbers, bigints, booleans, dates, buffers, arrays, maps, sets and plain objects.',
  },
  CACHE_CLOSED: {
    meaning: 'The cache was used after close().',
    remedy: 'Close the cache last, after the work that reads from it.',
  },
  CACHE_LOADS_SATURATED: {
    meaning: 'The limit of concurrent loads of a group was reached and its queue is full.',
    remedy: 'Retry later, or raise loadLimit when the shard can carry more.',
  },
  COMMIT_SCOPE_REQUIRED: {
    meaning: 'An invalidation was asked for inside a transaction that cannot tell when it commits.',
    remedy: 'Use a transaction of a shard router, or invalidate after the transaction has returned.',
  },
  CACHE_LOAD_RECURSION: {
    meaning: 'The load of an entry asked the cache for the entry that it is loading.',
    remedy: 'Read the database inside a load, or another entry.',
  },
  CACHE_OUTBOX_COLUMN: {
    meaning:
      'A column given to the outbox does not exist, is of a type whose text differs between server and driver, or is not part of the replica identity.',
    remedy: 'Give id and key columns of integer, text, varchar, uuid or numeric type.',
  },
} as const)

/** One of the codes of `CacheError`. */
export type CacheErrorCode = keyof typeof cacheErrorCodes
