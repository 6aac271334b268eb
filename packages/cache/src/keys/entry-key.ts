import { createHash } from 'node:crypto'
import { canonicalText } from './canonical-text.ts'

/** The whole name of an entry in every tier, e.g. `shop:wallet:{"f1"|"w1"}`. */
export type EntryKey = string

/** Text before the entry's own part; the same for all entries of one name. */
export interface KeyPrefix {
  readonly text: string
}

export interface KeyPrefixParts {
  readonly namespace: string
  readonly name: string
}

const longestKey = 256

/** Made once per name. None of the parts holds a brace or a colon (checked with the options). */
export function keyPrefix(parts: KeyPrefixParts): KeyPrefix {
  return Object.freeze({ text: `${parts.namespace}:${parts.name}:{` })
}

/**
 * The braces are a Redis hash tag: all keys of one entry live in one slot. Tenant and id stay apart because both are
 * canonical texts. Very long keys keep their prefix and carry a SHA-256 instead.
 */
export function entryKey(prefix: KeyPrefix, tenant: unknown, id: unknown): EntryKey {
  const key = `${prefix.text}${canonicalText(tenant)}|${canonicalText(id)}}`
  return key.length <= longestKey ? key : `${prefix.text}h${sha256(key)}}`
}

/** A short, stable word for any text, e.g. of the columns of a table. */
export function fingerprintOf(text: string): string {
  return sha256(text).slice(0, 12)
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}
