/** The Redis keys of one entry: value, lease, tokens of the last invalidation. The braces in `key` keep them in one slot. */
export function entryKeys(key: string): readonly [value: string, lease: string, tokens: string] {
  return [key, `${key}:l`, `${key}:t`]
}
