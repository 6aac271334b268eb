import type { Lookup } from '@shardwright/core'
import type { Source } from '../source.ts'

export type IntegerType = 'int2' | 'int4' | 'int8'

/** One value a key may have. `list`: the source is a JavaScript array or a PostgreSQL array text, as in `= any($1)`. */
export interface KeyItem {
  readonly source: Source
  readonly list: boolean
  /** How PostgreSQL reads the constant: as the key's type, by a comparison in a wider type, or cast to an integer type. */
  readonly as: 'key' | 'numeric' | IntegerType
}

/** The keys that a table's rows can have in a query, as far as its predicates prove: an algebra over AND and OR. */
export type KeySet =
  | { readonly kind: 'all' }
  | { readonly kind: 'none' }
  | { readonly kind: 'items'; readonly items: readonly KeyItem[] }
  | { readonly kind: 'and'; readonly sets: readonly KeySet[] }
  | { readonly kind: 'or'; readonly sets: readonly KeySet[] }
  | LookupKeys

/** The keys to which a lookup leads from some values of its column: read from its entries before the statement runs. */
export interface LookupKeys {
  readonly kind: 'lookup'
  readonly lookup: Lookup
  readonly values: KeySet
  /** Equal for equal sets. */
  readonly signature: string
}

export const allKeys: KeySet = Object.freeze({ kind: 'all' })
export const noKeys: KeySet = Object.freeze({ kind: 'none' })

export function keyItems(items: readonly KeyItem[]): KeySet {
  return items.length === 0 ? noKeys : { kind: 'items', items }
}

export function lookupKeys(lookup: Lookup, values: KeySet): KeySet {
  if (values.kind === 'all' || values.kind === 'none') return values
  return { kind: 'lookup', lookup, values, signature: `${lookup.name}(${keySetSignature(values)})` }
}

/** The lookups in a set of keys. */
export function lookupsIn(set: KeySet): readonly LookupKeys[] {
  if (set.kind === 'lookup') return [set]
  return set.kind === 'and' || set.kind === 'or' ? set.sets.flatMap(lookupsIn) : []
}

export function intersectKeys(sets: readonly KeySet[]): KeySet {
  const kept: KeySet[] = []
  for (const set of sets) {
    if (set.kind === 'none') return noKeys
    if (set.kind === 'all') continue
    kept.push(...(set.kind === 'and' ? set.sets : [set]))
  }
  if (kept.length === 0) return allKeys
  const distinct = kept.length === 1 ? kept : dropRepeated(kept)
  return distinct.length === 1 ? (distinct[0] as KeySet) : { kind: 'and', sets: distinct }
}

export function uniteKeys(sets: readonly KeySet[]): KeySet {
  const kept: KeySet[] = []
  const items: KeyItem[] = []
  for (const set of sets) {
    if (set.kind === 'all') return allKeys
    if (set.kind === 'none') continue
    if (set.kind === 'items') items.push(...set.items)
    else kept.push(...(set.kind === 'or' ? set.sets : [set]))
  }
  if (items.length > 0) kept.unshift({ kind: 'items', items })
  if (kept.length === 0) return noKeys
  return kept.length === 1 ? (kept[0] as KeySet) : { kind: 'or', sets: kept }
}

/** Two predicates that name the same parameter say the same: one of them is enough. */
function dropRepeated(sets: readonly KeySet[]): KeySet[] {
  const seen = new Set<string>()
  return sets.filter((set) => {
    const signature = keySetSignature(set)
    if (seen.has(signature)) return false
    seen.add(signature)
    return true
  })
}

/** Equal signatures, equal sets. */
export function keySetSignature(set: KeySet): string {
  switch (set.kind) {
    case 'all':
    case 'none':
      return set.kind
    case 'lookup':
      return set.signature
    case 'items':
      return `[${set.items.map(itemSignature).join()}]`
    default:
      return `${set.kind}(${set.sets.map(keySetSignature).join()})`
  }
}

function itemSignature(item: KeyItem): string {
  const { source } = item
  const place =
    source.from === 'parameter'
      ? `$${source.index}`
      : source.from === 'constant'
        ? `${typeof source.value}:${String(source.value)}`
        : source.from
  return `${item.as}${item.list ? '*' : ''}${place}`
}
