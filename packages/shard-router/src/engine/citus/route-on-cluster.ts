import type { KeyToLocate } from '@shardwright/core'
import { locateInGroup } from '@shardwright/core'
import { checkInsertedKeys, type Route, type RouteContext, type ShardPlace } from '../../execute/route.ts'
import type { Access } from '../../plan/access.ts'
import { type KeyPlaces, shardsOfKeys } from '../../plan/key/evaluate-keys.ts'
import type { CallValues } from '../../plan/source.ts'
import { type ClusterMap, coordinator } from './cluster-map.ts'

/** Where a statement's rows are: nowhere, in one place, or in several, of which the coordinator takes care. */
export function routeOnCluster(
  accesses: readonly Access[],
  call: CallValues,
  context: RouteContext,
  map: ClusterMap,
): Route {
  const finder = new PlaceFinder(call, context, map)
  for (const access of accesses) finder.add(access)
  return finder.route
}

/** True when the statement needs several shards, of which the coordinator takes care. */
export function isSpread(route: Route): boolean {
  return route.shards.length > 0 && route.place === undefined
}

class PlaceFinder {
  readonly #call: CallValues
  readonly #context: RouteContext
  readonly #map: ClusterMap
  readonly #keyless: string[] = []
  #place: ShardPlace | undefined
  /** More than one place, or one that only the coordinator knows. */
  #spread = false
  #asked = false

  constructor(call: CallValues, context: RouteContext, map: ClusterMap) {
    this.#call = call
    this.#context = context
    this.#map = map
  }

  add(access: Access): void {
    switch (access.kind) {
      case 'sharded':
        this.#addSharded(access)
        break
      case 'reference':
        // Every node has a copy; a write is for all of them.
        if (access.writes) this.#addSeveral()
        break
      default:
        this.#addSeveral()
    }
  }

  get route(): Route {
    const keyless = this.#keyless
    if (!this.#asked) return { shards: [], keyless }
    if (this.#spread || this.#place === undefined) return { shards: [coordinator], keyless }
    return { shards: [this.#map.serverOf(this.#place) ?? coordinator], keyless, place: this.#place }
  }

  #addSharded(access: Access & { kind: 'sharded' }): void {
    const { catalog, keyObserver: observer } = this.#context
    const { family, name, schema, table } = access.table
    const type = catalog.keyType(family)
    if (access.inserts) checkInsertedKeys(access, this.#call, catalog.keyLength(family))
    const group = this.#map.groupOf(family)
    const places: KeyPlaces = group ? new Ordinals(group) : oneOrdinal
    const ordinals = shardsOfKeys(access.keys, this.#call, { places, family, type, observer })
    if (ordinals === 'all') {
      if (!this.#keyless.includes(name)) this.#keyless.push(name)
      this.#addSeveral()
      return
    }
    // A view, or a table of which Citus has no shards, may be on the coordinator alone.
    const known = group !== undefined && this.#map.metadata.find(table, schema) !== undefined
    for (const ordinal of ordinals) {
      if (known && ordinal >= 0) this.#addPlace({ group, ordinal })
      else this.#addSeveral()
    }
  }

  #addPlace(place: ShardPlace): void {
    this.#asked = true
    const own = this.#place
    if (own === undefined) this.#place = place
    else if (own.group !== place.group || own.ordinal !== place.ordinal) this.#spread = true
  }

  #addSeveral(): void {
    this.#asked = true
    this.#spread = true
  }
}

/** Keys by the ordinal of their shard in a co-location group. */
export class Ordinals implements KeyPlaces {
  readonly #group: ShardPlace['group']

  constructor(group: ShardPlace['group']) {
    this.#group = group
  }

  locate({ type, value }: KeyToLocate): number {
    return locateInGroup(this.#group, type, value)
  }

  bucketOf(key: KeyToLocate): number {
    return this.locate(key)
  }
}

const oneOrdinal: KeyPlaces = { locate: () => -1, bucketOf: () => 0 }
