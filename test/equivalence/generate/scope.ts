import type { Random } from '../random.ts'
import { type Column, type Kind, type Open, type TableName, tables } from '../world/columns.ts'
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

export interface ColumnReference {
  readonly ref: string
  readonly kind: Kind
  readonly open: Open | undefined
}

/** `open`: also columns whose value PostgreSQL leaves open; only what shows them as they are may use those. */
export function columnsOf(scope: Scope, kinds?: readonly Kind[], open = false): ColumnReference[] {
  return scope.relations.flatMap(({ alias, columns }) =>
    columns
      .filter((column) => (!kinds || kinds.includes(column.kind)) && (open || column.open === undefined))
      .map((column) => ({ ref: `${alias}.${column.name}`, kind: column.kind, open: column.open })),
  )
}

/** The openness of a value that stands for all values equal to it. */
export function spelling(kind: Kind): Open | undefined {
  return kind === 'num' || kind === 'ci' ? 'spelling' : undefined
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
