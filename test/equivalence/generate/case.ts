import { type Query, tagsOf } from '../code.ts'
import { Random } from '../random.ts'
import type { World } from '../world/world.ts'
import { Names, type Scope } from './scope.ts'
import { selectQuery } from './select.ts'
import { setOperations } from './set-operations.ts'
import { write } from './writes.ts'

/** Which way into the router a case takes. */
export type Door = 'fanOut' | 'db' | 'stream'

export interface Case {
  readonly number: number
  readonly kind: 'read' | 'write'
  readonly door: Door
  readonly query: Query
}

export function createCase(seed: string, number: number, world: World): Case {
  const random = new Random(`${seed}/case/${number}`)
  const outer: Omit<Scope, 'relations'> = { random, world, depth: 0, names: new Names() }
  const door = random.weighted<Door>([
    [8, 'fanOut'],
    [1.5, 'db'],
    [1, 'stream'],
  ])
  const kind = random.weighted<'read' | 'sets' | 'write'>([
    [8, 'read'],
    [1.3, 'sets'],
    [2.2, 'write'],
  ])
  if (kind === 'write') return { number, kind, door: door === 'stream' ? 'fanOut' : door, query: write(outer) }
  const { query } = kind === 'sets' ? setOperations(outer) : selectQuery(outer, 'db')
  return { number, kind: 'read', door, query }
}

export function caseTags(own: Case): Set<string> {
  return tagsOf(own.query)
}
