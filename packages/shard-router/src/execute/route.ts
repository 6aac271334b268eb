import { type ColocationGroup, KeyError, type KeyObserver, type Schema } from '@shardwright/core'
import type { Access } from '../plan/access.ts'
import type { Catalog } from '../plan/catalog.ts'
import { type KeyPlaces, shardOfEach, shardsOfKeys } from '../plan/key/evaluate-keys.ts'
import { refuse } from '../plan/refuse.ts'
import { type CallValues, resolveSource } from '../plan/source.ts'
import { refuseMissing } from '../plan/write/inserted-keys.ts'
import type { ShardList } from '../pool/shard-list.ts'

export interface RouteContext {
  readonly schema: Schema
  readonly topology: ShardList
  readonly engine: KeyPlaces
  readonly catalog: Catalog
  readonly keyObserver?: KeyObserver | undefined
}

/** The shards a statement needs: indexes, ascending. `keyless` names the tables without a proven key. */
export interface Route {
  readonly shards: readonly number[]
  readonly keyless: readonly string[]
  /** Of several rows of VALUES: the shard of each. */
  readonly shardOfRow?: readonly number[]
  /** On Citus: the one shard that has all rows; absent where there are several. */
  readonly place?: ShardPlace | undefined
}

/** The shards of a co-location group for one range of hashes. */
export interface ShardPlace {
  readonly group: ColocationGroup
  /** Index in `group.shards`. */
  readonly ordinal: number
}

const nowhere: Route = Object.freeze({ shards: Object.freeze([]), keyless: Object.freeze([]) })

/** Chooses the shards of a statement for the values of one call. */
export function routeAccesses(accesses: readonly Access[], call: CallValues, context: RouteContext): Route {
  if (accesses.length === 1) return routeOne(accesses[0] as Access, call, context)
  let union: readonly number[] = nowhere.shards
  let keyless: readonly string[] = nowhere.keyless
  for (const access of accesses) {
    const route = routeOne(access, call, context)
    union = unite(union, route.shards)
    if (route.keyless.length > 0) keyless = [...new Set([...keyless, ...route.keyless])]
  }
  return { shards: union, keyless }
}

function routeOne(access: Access, call: CallValues, context: RouteContext): Route {
  const { topology, engine, keyObserver: observer } = context
  switch (access.kind) {
    case 'sharded': {
      const { family, name } = access.table
      if (access.inserts) checkInsertedKeys(access, call, context.catalog.keyLength(family))
      const keyContext = { places: engine, family, type: context.catalog.keyType(family), observer }
      const shardOfRow = access.inserts ? shardOfEach(access.keys, call, keyContext) : undefined
      if (shardOfRow) return { shards: distinct(shardOfRow), keyless: nowhere.keyless, shardOfRow }
      const keys = shardsOfKeys(access.keys, call, keyContext)
      if (keys !== 'all') return { shards: keys, keyless: nowhere.keyless }
      return { shards: topology.shards.map((_, index) => index), keyless: [name] }
    }
    case 'single':
      return { shards: [shardIndex(topology, access.shard)], keyless: nowhere.keyless }
    case 'reference':
      // Every copy is the same; a write is for all of them.
      return access.writes ? { shards: topology.shards.map((_, index) => index), keyless: nowhere.keyless } : nowhere
    case 'system':
      return { shards: [0], keyless: nowhere.keyless }
  }
}

/**
 * A row without a key belongs to no shard, and one whose key is cut when it is stored to another than its own.
 * @throws RoutingError SHARD_KEY_MISSING; KeyError INVALID_SHARD_KEY
 */
export function checkInsertedKeys(
  access: Access & { kind: 'sharded' },
  call: CallValues,
  limit: number | undefined,
): void {
  if (access.keys.kind !== 'items') return
  for (const { source } of access.keys.items) {
    const value = resolveSource(source, call)
    if (value === null || value === undefined) refuseMissing(access.table)
    if (limit !== undefined && String(value).length > limit && [...String(value)].length > limit) {
      throw new KeyError({
        code: 'INVALID_SHARD_KEY',
        message: `A key of '${access.table.name}' is longer than the ${limit} characters of its column.`,
        hint: 'PostgreSQL would refuse it, or cut trailing spaces off and store another key. Shorten it first.',
      })
    }
  }
}

/** @throws RoutingError UNKNOWN_SHARD */
export function shardIndex(topology: Pick<ShardList, 'shards'>, id: string): number {
  const index = topology.shards.findIndex((shard) => shard.id === id)
  if (index >= 0) return index
  return refuse(
    'UNKNOWN_SHARD',
    `There is no shard '${id}'.`,
    `The topology has: ${topology.shards.map((shard) => shard.id).join(', ')}.`,
    { shard: id },
  )
}

function distinct(shards: readonly number[]): readonly number[] {
  return [...new Set(shards)].sort((x, y) => x - y)
}

function unite(a: readonly number[], b: readonly number[]): readonly number[] {
  if (a.length === 0) return b
  if (b.length === 0 || (a.length === 1 && b.length === 1 && a[0] === b[0])) return a
  return distinct([...a, ...b])
}
