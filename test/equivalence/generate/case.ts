import { type Query, render, tagsOf } from '../code.ts'
import { Random } from '../random.ts'
import type { World } from '../world/world.ts'
import { Names, type Scope } from './scope.ts'
import { selectQuery } from './select.ts'
import { setOperations } from './set-operations.ts'
import { write } from './writes.ts'

/** Which way into the router a case takes. */
export type Door = 'fanOut' | 'db' | 'stream' | 'for' | 'transaction'

export interface Case {
  readonly number: number
  readonly kind: 'read' | 'write'
  readonly door: Door
  readonly query: Query
  /** The key of `router.for(key)`. */
  readonly key: string | number
}

export function createCase(seed: string, number: number, world: World): Case {
  const random = new Random(`${seed}/case/${number}`)
  const outer: Omit<Scope, 'relations'> = { random, world, depth: 0, names: new Names() }
  const door = random.weighted<Door>([
    [8, 'fanOut'],
    [1.5, 'db'],
    [1, 'stream'],
    [1.2, 'for'],
    [0.6, 'transaction'],
  ])
  const kind = random.weighted<'read' | 'sets' | 'write'>([
    [8, 'read'],
    [1.3, 'sets'],
    [2.2, 'write'],
  ])
  const key = random.pick(world.keys.slice(0, 5))
  const query =
    kind === 'write' ? write(outer) : kind === 'sets' ? setOperations(outer).query : selectQuery(outer, 'db').query
  return { number, kind: kind === 'write' ? 'write' : 'read', door: fitting(door, kind, query), query, key }
}

function fitting(door: Door, kind: string, query: Query): Door {
  if (door === 'stream' && kind === 'write') return 'fanOut'
  // The one database shows the rows of a key as views in front of the tables; a schema's name goes past them.
  return door === 'for' && render(query).includes('public.') ? 'fanOut' : door
}

export function caseTags(own: Case): Set<string> {
  return tagsOf(own.query)
}
