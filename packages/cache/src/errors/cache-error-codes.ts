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
  CACHE_TAGS: {
    meaning: 'The tags of an entry, with the versions that it keeps of them, are longer than 65,535 bytes together.',
    remedy: 'Give the entry fewer or shorter tags: one of a list instead of one of each row in it.',
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
  RATE_LIMIT_TOKENS: {
    meaning: 'A number of tokens was asked of a rate limit that its bucket can never hold, or that is not positive.',
    remedy: 'Take at most the capacity at once.',
  },
  RATE_LIMIT_UNAVAILABLE: {
    meaning:
      'A rate limit could not be reset, because Redis did not answer. Taking never fails: whenUnavailable decides.',
    remedy: 'Try again; the cause says what is wrong with Redis.',
  },
  SESSION_STORE_UNAVAILABLE: {
    meaning: 'Redis did not answer the session store within its budget. No session is lost.',
    remedy: 'Answer 503 and let the client try again; the cause says what is wrong.',
  },
  SESSION_TOO_LARGE: {
    meaning: 'A session is larger than maxBytes.',
    remedy: 'Keep ids in the session and the data in the database, or raise maxBytes.',
  },
  SESSION_UNREADABLE: {
    meaning: 'What stands in Redis under the id of a session is not JSON.',
    remedy: 'Give the store a prefix that nothing else uses.',
  },
} as const)

/** One of the codes of `CacheError`. */
export type CacheErrorCode = keyof typeof cacheErrorCodes
