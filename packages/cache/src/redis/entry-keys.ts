/** The Redis keys of one entry: value, lease, tokens of the last invalidation. The braces in `key` keep them in one slot. */
export function entryKeys(key: string): readonly [value: string, lease: string, tokens: string] {
  return [key, `${key}:l`, `${key}:t`]
}

/** True for the keys of an entry that hold no value. */
export function isLeaseOrTokens(redisKey: string): boolean {
  return redisKey.endsWith('}:l') || redisKey.endsWith('}:t')
}
