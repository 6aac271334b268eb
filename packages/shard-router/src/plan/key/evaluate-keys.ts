import { canonicalKey, KeyError, type KeyObserver, type KeyToLocate, type KeyType } from '@shardwright/core'
import { type CallValues, resolveSource } from '../source.ts'
import type { IntegerType, KeyItem, KeySet } from './key-set.ts'

/** The places of the rows that a key set allows: `all`, or what `KeyPlaces` calls them, ascending and distinct. */
export type ShardSet = 'all' | readonly number[]

/** Where keys are. */
export interface KeyPlaces {
  /** The index of the server that has the key. @throws KeyError INVALID_SHARD_KEY */
  locate(key: KeyToLocate): number
  /** The number of the slot that the key falls into, which is moved as a whole. @throws KeyError INVALID_SHARD_KEY */
  bucketOf(key: KeyToLocate): number
}

export interface KeyContext {
  readonly places: KeyPlaces
  readonly family: string
  readonly type: KeyType
  readonly observer: KeyObserver | undefined
}

/** @throws KeyError INVALID_SHARD_KEY when a value is none of the key's type. */
export function shardsOfKeys(set: KeySet, call: CallValues, context: KeyContext): ShardSet {
  if (set.kind === 'items' && set.items.length === 1) return shardsOfItem(set.items[0] as KeyItem, call, context)
  if (set.kind === 'items') return shardsOfItems(set.items, call, context)
  const keys = canonicalKeys(set, call, context)
  if (keys === 'all') return 'all'
  const shards = new Set<number>()
  for (const key of keys) shards.add(shardOf(key, context))
  return [...shards].sort((a, b) => a - b)
}

function shardsOfItems(items: readonly KeyItem[], call: CallValues, context: KeyContext): ShardSet {
  const shards = new Set<number>()
  for (const item of items) for (const shard of shardsOfItem(item, call, context)) shards.add(shard)
  return [...shards].sort((a, b) => a - b)
}

/** The shard of each of several constants; undefined when the set is something else. @throws KeyError INVALID_SHARD_KEY */
export function shardOfEach(set: KeySet, call: CallValues, context: KeyContext): readonly number[] | undefined {
  if (set.kind !== 'items' || set.items.length === 1 || !set.items.every(isConstant)) return undefined
  return set.items.map(({ source }) => shardOf(resolveSource(source, call), context))
}

function isConstant({ list, as }: KeyItem): boolean {
  return !list && as === 'key'
}

/** The buckets that the keys fall into, ascending and distinct. @throws KeyError INVALID_SHARD_KEY */
export function bucketsOfKeys(set: KeySet, call: CallValues, context: KeyContext): 'all' | readonly number[] {
  const keys = canonicalKeys(set, call, context)
  if (keys === 'all') return 'all'
  const { places, family, type } = context
  return [...new Set([...keys].map((value) => places.bucketOf({ family, type, value })))].sort((a, b) => a - b)
}

function shardsOfItem(item: KeyItem, call: CallValues, context: KeyContext): readonly number[] {
  const value = resolveSource(item.source, call)
  if (!item.list && item.as === 'key' && value !== null && value !== undefined) return [shardOf(value, context)]
  const shards = new Set<number>()
  for (const key of itemKeys(item, value, context.type)) shards.add(shardOf(key, context))
  return [...shards].sort((a, b) => a - b)
}

function shardOf(value: unknown, context: KeyContext): number {
  const { places, family, type } = context
  const key = keyValue(value, type)
  context.observer?.see(family, key)
  return places.locate({ family, type, value: key })
}

/** The values that a set allows, in their canonical text; `all` also where a value is none of the type. */
export function canonicalValues(set: KeySet, call: CallValues, context: KeyContext): 'all' | ReadonlySet<string> {
  try {
    return canonicalKeys(set, call, context)
  } catch (error) {
    if (error instanceof KeyError) return 'all'
    throw error
  }
}

function canonicalKeys(set: KeySet, call: CallValues, context: KeyContext): 'all' | ReadonlySet<string> {
  switch (set.kind) {
    case 'all':
      return 'all'
    case 'none':
      return new Set()
    case 'items': {
      const keys = new Set<string>()
      for (const item of set.items) {
        for (const key of itemKeys(item, resolveSource(item.source, call), context.type)) keys.add(key)
      }
      return keys
    }
    case 'lookup': {
      const found = call.lookups?.keysOf(set) ?? 'all'
      return found === 'all' ? 'all' : new Set(found.map((key) => canonicalKey(context.type, key)))
    }
    case 'and': {
      let kept: 'all' | Set<string> = 'all'
      for (const part of set.sets) {
        const keys = canonicalKeys(part, call, context)
        if (keys === 'all') continue
        kept = kept === 'all' ? new Set(keys) : intersection(kept, keys)
      }
      return kept
    }
    case 'or': {
      const united = new Set<string>()
      for (const part of set.sets) {
        const keys = canonicalKeys(part, call, context)
        if (keys === 'all') return 'all'
        for (const key of keys) united.add(key)
      }
      return united
    }
  }
}

function intersection(a: ReadonlySet<string>, b: ReadonlySet<string>): Set<string> {
  return new Set([...a].filter((key) => b.has(key)))
}

/** NULL matches nothing. */
function itemKeys(item: KeyItem, value: unknown, type: KeyType): string[] {
  if (value === null || value === undefined) return []
  if (item.list) return arrayElements(value, type)
  if (item.as === 'numeric') return numericKey(value, type)
  if (item.as !== 'key') return castKey(value, item.as, type)
  return [canonicalKey(type, keyValue(value, type))]
}

function arrayElements(value: unknown, type: KeyType): string[] {
  if (!Array.isArray(value)) {
    throw new KeyError({
      code: 'INVALID_SHARD_KEY',
      message: 'The argument of any() on a shard key is not a JavaScript array.',
      hint: 'Pass the keys as an array, or use `in`.',
    })
  }
  // any() sees the elements of all dimensions.
  return value
    .flat(Number.POSITIVE_INFINITY)
    .filter((element) => element !== null && element !== undefined)
    .map((element) => canonicalKey(type, keyValue(element, type)))
}

const integerRanges: Partial<Record<KeyType, readonly [bigint, bigint]>> = {
  int2: [-(2n ** 15n), 2n ** 15n - 1n],
  int4: [-(2n ** 31n), 2n ** 31n - 1n],
  int8: [-(2n ** 63n), 2n ** 63n - 1n],
}

/** A numeric constant compared with an integer key: equal to one key when it is whole and in range, else to none. */
function numericKey(value: unknown, type: KeyType): string[] {
  const range = integerRanges[type]
  if (!range) return [canonicalKey(type, keyValue(value, type))]
  const text = String(value).trim()
  if (typeof value === 'number' && !Number.isSafeInteger(value)) {
    return Number.isInteger(value) ? [canonicalKey(type, value)] : []
  }
  const match = /^([+-]?\d+)(?:\.0*)?$/.exec(text)
  if (!match) return /^[+-]?\d*\.\d+$/.test(text) ? [] : [canonicalKey(type, keyValue(value, type))]
  const whole = BigInt(match[1] as string)
  return whole >= range[0] && whole <= range[1] ? [whole.toString()] : []
}

/** An integer of its own type, which may be wider than the key's. @throws KeyError INVALID_SHARD_KEY when it is none */
function castKey(value: unknown, as: IntegerType, type: KeyType): string[] {
  if (!integerRanges[type]) return [canonicalKey(type, keyValue(value, type))]
  return numericKey(canonicalKey(as, keyValue(value, as)), type)
}

/** What `pg` would send for the value, as a key. @throws KeyError for what is no scalar. */
function keyValue(value: unknown, type: KeyType): string | number | bigint | Date {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint') return value
  if (value instanceof Date && (type === 'date' || type === 'timestamp' || type === 'timestamptz')) return value
  if (typeof value === 'boolean' && (type === 'text' || type === 'varchar')) return String(value)
  throw new KeyError({
    code: 'INVALID_SHARD_KEY',
    message: `A value of type ${value instanceof Date ? 'Date' : typeof value} cannot be a shard key of type ${type}.`,
    hint: 'Pass the key as a string, a bigint or a safe integer.',
  })
}
