import type { Schema, ShardedTable } from '@shardwright/core'
import type { OperationNode } from 'kysely'
import type { ParameterIndex } from '../compile.ts'
import type { Levels } from '../levels.ts'
import { type Block, type ColumnTerm, resolveColumn } from '../scope/block.ts'
import { type ExportContext, equalColumns, keysOfColumn, sameTerm } from '../scope/closure.ts'
import { bareQuery, membership, setArms } from '../scope/query-node.ts'
import { type Cte, type CteEnvironment, type KeyExport, type Relation, shardedTableOf } from '../scope/relation.ts'
import { allKeys, intersectKeys, type KeySet, lookupKeys, uniteKeys } from './key-set.ts'

/** Which columns carry a shard key out of tables, subqueries and CTEs, and which keys these can be. */
export class KeyExports implements ExportContext {
  readonly parameters: ParameterIndex
  readonly #schema: Schema
  readonly #levels: Levels
  /** Relations whose lookups are being read: their columns may lead back to them. */
  readonly #lookingUp = new Set<Relation>()
  /** First arms of recursive CTEs whose exports are being found. */
  readonly #arms = new Set<OperationNode>()
  readonly #exports = new Map<OperationNode, readonly (KeyExport | undefined)[] | 'busy'>()

  constructor(levels: Levels, parameters: ParameterIndex) {
    this.parameters = parameters
    this.#schema = levels.schema
    this.#levels = levels
  }

  exportOf(relation: Relation, column: string, block: Block): KeyExport | undefined {
    const table = shardedTableOf(relation)
    if (table) return column === table.key ? this.#ownKey(table, relation, block) : undefined
    const { source } = relation
    if (source.kind !== 'query' && source.kind !== 'recursion') return undefined
    const position = relation.columns?.indexOf(column) ?? -1
    if (position < 0) return undefined
    if (source.kind === 'recursion') return this.#exportsOfFirstArm(source.cte)[position]
    const parent = source.cte ? source.cte.parent : relation.lateral ? block : block.parent
    return this.exportsOf(source.query, source.environment, parent)[position]
  }

  #ownKey(table: ShardedTable, relation: Relation, block: Block): KeyExport {
    return { family: table.family, keys: this.#lookedUp(table, relation, block), nullable: false }
  }

  /** The keys that the lookups of a table give, from what is known of their columns. */
  #lookedUp(table: ShardedTable, relation: Relation, block: Block): KeySet {
    const { lookups } = this.#schema
    if (lookups.length === 0 || this.#lookingUp.has(relation)) return allKeys
    this.#lookingUp.add(relation)
    const sets = lookups
      .filter((lookup) => lookup.table === table)
      .map((lookup) => lookupKeys(lookup, keysOfColumn({ block, relation, column: lookup.column }, this, true)))
    this.#lookingUp.delete(relation)
    return intersectKeys(sets)
  }

  /** Which outputs of a query carry a shard key, by position. */
  exportsOf(query: OperationNode, environment: CteEnvironment, parent: Block | undefined) {
    const bare = bareQuery(query)
    const known = this.#exports.get(bare)
    if (known === 'busy') return []
    if (known) return known
    this.#exports.set(bare, 'busy')
    const block = this.#levels.blockOf(bare, environment, parent)
    const arms: (readonly (KeyExport | undefined)[])[] = [this.#armExports(bare, block)]
    for (const arm of setArms(bare)) arms.push(this.exportsOf(arm, block.environment, parent))
    const exports = arms.length === 1 ? (arms[0] ?? []) : commonExports(arms)
    this.#exports.set(bare, exports)
    return exports
  }

  /** A recursive reference has at most the keys of the first arm: the others start from it. */
  #exportsOfFirstArm({ query, environment, parent }: Cte): readonly (KeyExport | undefined)[] {
    const arm = bareQuery(query)
    // One that reads itself in the first arm, or by way of another CTE, has no keys; it is PostgreSQL's to refuse.
    if (this.#arms.has(arm)) return []
    this.#arms.add(arm)
    const exports = this.#armExports(arm, this.#levels.blockOf(arm, environment, parent))
    this.#arms.delete(arm)
    return exports
  }

  #armExports(query: OperationNode, block: Block): (KeyExport | undefined)[] {
    return (this.#levels.outputs(query, block) ?? []).map(({ term }) => (term ? this.termExport(term) : undefined))
  }

  /** The family whose key a column carries, if any, and the keys it can have. */
  termExport(term: ColumnTerm): KeyExport | undefined {
    const nullable = (term.block.nullable & (1 << term.relation.bit)) !== 0
    for (const equal of equalColumns(term)) {
      const own = this.exportOf(equal.relation, equal.column, equal.block)
      if (own) return { family: own.family, keys: keysOfColumn(term, this), nullable: nullable || own.nullable }
    }
    const keys = keysOfColumn(term, this)
    return keys.kind === 'all' ? undefined : { family: '', keys, nullable }
  }

  subqueryKeys(predicate: OperationNode, terms: readonly ColumnTerm[], block: Block): KeySet | undefined {
    const member = membership(predicate)
    const column = member && resolveColumn(member.left, block)
    if (!column || !terms.some((term) => sameTerm(term, column))) return undefined
    return this.exportsOf(member.query, block.environment, block)[0]?.keys
  }
}

function commonExports(arms: readonly (readonly (KeyExport | undefined)[])[]): (KeyExport | undefined)[] {
  const [first = []] = arms
  return first.map((_, position) => {
    const exports = arms.map((arm) => arm[position])
    if (exports.some((own) => own === undefined || own.family !== exports[0]?.family)) return undefined
    const known = exports as KeyExport[]
    return {
      family: (known[0] as KeyExport).family,
      keys: uniteKeys(known.map((own) => own.keys)),
      nullable: known.some((own) => own.nullable),
    }
  })
}
