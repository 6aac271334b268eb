import { type Query, render, tagsOf } from '../code.ts'
import { Random } from '../random.ts'
import type { Open } from '../world/columns.ts'
import type { World } from '../world/world.ts'
import { clausesIn } from './clauses.ts'
import { Names, type Scope } from './scope.ts'
import { selectQuery } from './select.ts'
import { setOperations } from './set-operations.ts'
import { write } from './write.ts'

/** Which way into the router a case takes. */
export type Door = 'fanOut' | 'db' | 'stream' | 'for' | 'transaction'

/**
 * Plugins of Kysely that a case runs with, on both sides. `shared nodes`: one that makes equal nodes one node; `other
 * values`: one that gives the statement, once it was planned from shared nodes, other values.
 */
export type Plugin = 'none' | 'camel case' | 'with schema' | 'empty lists' | 'shared nodes' | 'other values'

export interface Case {
  readonly number: number
  readonly kind: 'read' | 'write'
  readonly door: Door
  readonly plugin: Plugin
  readonly query: Query
  /** Outputs of which PostgreSQL leaves something open. */
  readonly open: ReadonlyMap<string, Open>
  /** Options of the command that makes the case again. */
  readonly again: string
  /** The key of `router.for(key)`. */
  readonly key: string | number
}

/** `wish`: clauses that the case should have; `attempt`: another case of the same number. */
export interface CaseOptions {
  readonly wish?: ReadonlySet<string> | undefined
  readonly attempt?: number
}

export function createCase(seed: string, number: number, world: World, { wish, attempt = 0 }: CaseOptions = {}): Case {
  const random = new Random(`${seed}/case/${number}${attempt > 0 ? `/${attempt}` : ''}`, wish)
  const outer: Omit<Scope, 'relations'> = { random, world, depth: 0, names: new Names() }
  const door = random.weighted<Door>([
    [8, 'fanOut'],
    [1.5, 'db'],
    [1, 'stream'],
    [1.2, 'for'],
    [0.6, 'transaction'],
  ])
  const writing = clausesIn('inserts', 'changes', 'whens', 'conflicts', 'returns')
  const wishesWrite = random.wishes(writing)
  const kind = random.weighted<'read' | 'sets' | 'write'>([
    [wishesWrite ? 0 : 8, 'read'],
    [wishesWrite ? 0 : 1.3, 'sets', ...clausesIn('sets')],
    [2.2, 'write', ...writing],
  ])
  const key = random.pick(world.keys.slice(0, 5))
  const made = kind === 'sets' ? setOperations(outer) : kind === 'read' ? selectQuery(outer, 'db') : undefined
  const query = made?.query ?? write(outer)
  const plugin = random.weighted<Plugin>([
    [8, 'none'],
    [0.8, 'camel case'],
    [0.8, 'with schema'],
    [0.8, 'empty lists'],
    [1.2, 'shared nodes'],
    [1.2, 'other values'],
  ])
  const text = render(query)
  return {
    number,
    kind: kind === 'write' || writes.test(text) ? 'write' : 'read',
    door: fittingDoor(door, kind, text, world),
    plugin: fittingPlugin(plugin, door, text),
    query,
    again: `${wish === undefined ? '' : ` --wish '${[...wish].join(' + ')}'`}${attempt === 0 ? '' : ` --attempt ${attempt}`}`,
    open: new Map((made?.outputs ?? []).flatMap(({ name, open }) => (open ? [[name, open] as const] : []))),
    key,
  }
}

/** A table that `router.for(key)` refuses: most such statements go another way. */
const outside = /'(?:w|o)(?: as \w+)?'/

/** A CTE that writes. */
const writes = /\.with\('moved\d+'/

function fittingDoor(door: Door, kind: string, text: string, { postgres }: World): Door {
  if (text.includes('forUpdate')) return 'db'
  if (door === 'stream' && (kind === 'write' || writes.test(text))) return 'fanOut'
  // A view has defaults of its own, which UPDATE takes.
  if (door === 'for' && text.includes('sql`default`')) return 'fanOut'
  // Views take no MERGE before PostgreSQL 17.
  if (door === 'for' && postgres < 17 && text.includes('.mergeInto(')) return 'fanOut'
  // The one database shows the rows of a key as views in front of the tables; a schema's name goes past them.
  if (door === 'for' && (text.includes('public.') || (outside.test(text) && text.length % 5 > 0))) return 'fanOut'
  return door
}

function fittingPlugin(plugin: Plugin, door: Door, text: string): Plugin {
  // Raw text and the views of `for` know nothing of schemas; raw names are not turned by CamelCasePlugin.
  if (plugin === 'with schema' && (door === 'for' || text.includes('public.'))) return 'none'
  return plugin
}

export function caseTags(own: Case): Set<string> {
  return tagsOf(own.query)
}
