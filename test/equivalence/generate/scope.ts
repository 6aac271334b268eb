import type { Random } from '../random.ts'
import { type Column, type Kind, type TableName, tables } from '../world/columns.ts'
import type { World } from '../world/world.ts'

/** A relation of FROM, as the expressions see it. */
export interface Relation {
  readonly alias: string
  /** Set for a real table. */
  readonly table: TableName | undefined
  readonly columns: readonly Column[]
  /** Names of columns that hold the shard key of family k. */
  readonly keys: readonly string[]
  /** Columns that are together unique, without NULLs; empty when none are known. */
  readonly unique: readonly string[]
}

export interface Scope {
  readonly random: Random
  readonly world: World
  readonly relations: readonly Relation[]
  /** How deep in subqueries: deeper ones are smaller. */
  readonly depth: number
  readonly names: Names
}

/** Aliases, each used once in a statement. */
export class Names {
  #count = 0

  next(prefix: string): string {
    this.#count += 1
    return `${prefix}${this.#count}`
  }
}

export function tableRelation(table: TableName, alias: string): Relation {
  const columns = tables[table]
  return {
    alias,
    table,
    columns,
    keys: table === 'w' ? [] : columns.filter(({ kind }) => kind === 'key').map(({ name }) => name),
    unique: ['id'],
  }
}

export function columnsOf(scope: Scope, kinds?: readonly Kind[]): { ref: string; kind: Kind }[] {
  return scope.relations.flatMap(({ alias, columns }) =>
    columns
      .filter(({ kind }) => !kinds || kinds.includes(kind))
      .map(({ name, kind }) => ({ ref: `${alias}.${name}`, kind })),
  )
}

export function inner(scope: Scope, relations: readonly Relation[]): Scope {
  return { ...scope, relations, depth: scope.depth + 1 }
}

/** A key as code: mostly one that has rows. */
export function keyCode(scope: Scope): string {
  const { random, world } = scope
  const key = random.chance(0.8) ? random.pick(world.keys.slice(0, 6)) : random.pick(world.keys)
  return typeof key === 'number' ? String(key) : `'${key.replaceAll("'", "\\'")}'`
}

/**
 * Inside a subquery, kinds without several spellings of a value: which of 1.0 and 1.00 stands for a group is open, and
 * what is around the subquery may show it.
 */
export function oneSpelling(scope: Scope, kinds: readonly Kind[]): readonly Kind[] {
  return scope.depth > 0 ? kinds.filter((kind) => kind !== 'num' && kind !== 'ci') : kinds
}
