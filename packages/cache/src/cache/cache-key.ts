import { CacheError } from '../errors/cache-error.ts'
import { entryKey, type KeyPrefix, keyPrefix } from '../keys/entry-key.ts'

/** Names one entry. */
export interface CacheKey {
  /** What kind of thing it is: `wallet`, `festival-statistics`. Letters, digits, `_ . -`. */
  readonly name: string
  /** Whose it is: the shard key's value, or `null` for what belongs to nobody in particular. */
  readonly tenant: unknown
  /** Which one: any value of strings, numbers, bigints, dates, arrays, plain objects ... */
  readonly id: unknown
}

/** Turns cache keys into the text that tiers use. */
export class KeySpace {
  readonly #namespace: string
  readonly #prefixes = new Map<string, KeyPrefix>()

  constructor(namespace: string) {
    this.#namespace = namespace
  }

  keyOf(key: CacheKey): string {
    return entryKey(this.#prefixOf(key.name), key.tenant, key.id)
  }

  /** The key of a tag's own entry. */
  tagKey(tag: string): string {
    return entryKey(this.#prefixOf(tagName), null, tag)
  }

  #prefixOf(name: string): KeyPrefix {
    const known = this.#prefixes.get(name)
    if (known) return known
    if (!/^[\w.-]+$/.test(name) && name !== tagName) throw badName()
    const prefix = keyPrefix({ namespace: this.#namespace, name })
    this.#prefixes.set(name, prefix)
    return prefix
  }
}

/** No name of a caller has this form. */
const tagName = '@tag'

function badName(): CacheError {
  return new CacheError({
    code: 'CACHE_KEY',
    message: 'The name of a cache key may hold letters, digits, underscore, dot and hyphen only.',
    hint: 'Put what varies into `tenant` and `id`; the name says what kind of thing it is.',
  })
}
