import type { Schema, ShardedTable } from '@shardwright/core'
import type {
  BinaryOperationNode,
  InsertQueryNode,
  MergeQueryNode,
  OperationNode,
  OperatorNode,
  ParensNode,
  ReferenceNode,
  RootOperationNode,
  SelectQueryNode,
  SetOperationNode,
  WithNode,
} from 'kysely'
import type { Access } from './access.ts'
import type { Catalog } from './catalog.ts'
import type { ParameterIndex } from './compile.ts'
import { allKeys, intersectKeys, type KeySet, lookupKeys, uniteKeys } from './key/key-set.ts'
import { unwrapRaw } from './raw/raw-fragment.ts'
import { type Block, type ColumnTerm, everyRelation, resolveColumn } from './scope/block.ts'
import { buildBlock } from './scope/build-block.ts'
import { type ExportContext, equalColumns, keysOfColumn, sameTerm } from './scope/closure.ts'
import { cteEnvironment, emptyEnvironment } from './scope/cte-environment.ts'
import { isQuery, type NameContext } from './scope/from-clause.ts'
import { ownsColumn } from './scope/outer-names.ts'
import { bareColumnName, type Output, outputsOf } from './scope/outputs.ts'
import { isPushable } from './scope/pushable.ts'
import { type Cte, type CteEnvironment, type KeyExport, type Relation, shardedTableOf } from './scope/relation.ts'
import { childrenOf } from './walk.ts'
import { insertedKeys } from './write/inserted-keys.ts'

type Imports = readonly (KeySet | undefined)[]

/** Reads a statement level by level and finds every use of a table, with the keys that its rows can have. */
export class Analyzer implements NameContext, ExportContext {
  readonly schema: Schema
  readonly catalog: Catalog
  readonly parameters: ParameterIndex
  /** Output names of the gathered parts that stand in the tree as tables. */
  readonly gathered: ReadonlyMap<string, readonly string[] | undefined>
  readonly accesses: Access[] = []
  #flat = false
  readonly #blocks = new Map<OperationNode, Block>()
  /** Relations whose lookups are being read: their columns may lead back to them. */
  /** Queries whose level is being built. */
  readonly #building = new Set<OperationNode>()
  readonly #lookingUp = new Set<Relation>()
  /** First arms of recursive CTEs whose exports are being found. */
  readonly #arms = new Set<OperationNode>()
  readonly #exports = new Map<OperationNode, readonly (KeyExport | undefined)[] | 'busy'>()

  constructor(
    schema: Schema,
    catalog: Catalog,
    parameters: ParameterIndex,
    gathered: ReadonlyMap<string, readonly string[] | undefined> = new Map(),
  ) {
    this.schema = schema
    this.catalog = catalog
    this.parameters = parameters
    this.gathered = gathered
  }

  /** `flat`: the statement has no subquery, so nobody need look for one. */
  analyze(root: RootOperationNode, flat = false): void {
    this.#flat = flat
    this.#visit(root, emptyEnvironment, undefined, undefined)
  }

  /** The level of a query node; made once. */
  blockOf(query: OperationNode, environment: CteEnvironment, parent: Block | undefined): Block {
    const known = this.#blocks.get(query)
    if (known) return known
    const own = cteEnvironment((query as SelectQueryNode).with, environment, parent)
    this.#building.add(query)
    const block = buildBlock(query, own, parent, this)
    this.#building.delete(query)
    this.#blocks.set(query, block)
    return block
  }

  /** The level of a query that was analyzed. */
  knownBlock(query: OperationNode): Block {
    const block = this.#blocks.get(bareQuery(query))
    if (!block) throw new Error('the query was not analyzed')
    return block
  }

  /** Every level that was analyzed, with its query. */
  get levels(): Iterable<readonly [OperationNode, Block]> {
    return this.#blocks
  }

  /** Makes a copy of a node, without clauses that say nothing of its rows, stand for the level of the original. */
  adopt(copy: OperationNode, block: Block): void {
    this.#blocks.set(copy, block)
  }

  /** The query node of a level. */
  queryOf(block: Block): OperationNode | undefined {
    for (const [query, known] of this.#blocks) if (known === block) return query
    return undefined
  }

  /** True when a reference that did not resolve may name a column outside `block`. */
  mayBeOuter(node: OperationNode, block: Block, outer: Block): boolean {
    const { table } = node as ReferenceNode
    const name = bareColumnName(node)
    if (!table) return name === undefined || ownsColumn(name, outer)
    return !block.relations.some((relation) => relation.alias === table.table.identifier.name)
  }

  columnsOf(
    query: OperationNode,
    environment: CteEnvironment,
    parent: Block | undefined,
  ): readonly string[] | undefined {
    const bare = bareQuery(query)
    // A CTE that reads itself in its first arm: PostgreSQL refuses it.
    if (this.#building.has(bare)) return undefined
    const outputs = this.outputs(bare, this.blockOf(bare, environment, parent))
    if (!outputs || outputs.some((output) => output.name === undefined)) return undefined
    return outputs.map((output) => output.name as string)
  }

  outputs(query: OperationNode, block: Block): readonly Output[] | undefined {
    const selections =
      query.kind === 'SelectQueryNode'
        ? (query as SelectQueryNode).selections
        : (query as InsertQueryNode).returning?.selections
    return outputsOf(selections, block)
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
    const { lookups } = this.schema
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
    const block = this.blockOf(bare, environment, parent)
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
    const exports = this.#armExports(arm, this.blockOf(arm, environment, parent))
    this.#arms.delete(arm)
    return exports
  }

  #armExports(query: OperationNode, block: Block): (KeyExport | undefined)[] {
    return (this.outputs(query, block) ?? []).map(({ term }) => (term ? this.termExport(term) : undefined))
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

  #visit(query: OperationNode, environment: CteEnvironment, parent: Block | undefined, imports: Imports | undefined) {
    const bare = bareQuery(query)
    const block = this.blockOf(bare, environment, parent)
    const before = block.imported.length
    this.#import(bare, block, imports)
    this.#visitWith((bare as SelectQueryNode).with, block)
    this.#visitRelations(bare, block)
    if (!this.#flat) this.#visitExpressions(bare, block)
    const { limit, offset, fetch } = bare as SelectQueryNode
    const armImports = limit || offset || fetch ? undefined : imports
    for (const arm of setArms(bare)) this.#visit(arm, block.environment, parent, armImports)
    block.imported.length = before
  }

  #import(query: OperationNode, block: Block, imports: Imports | undefined): void {
    const outputs = imports && this.outputs(query, block)
    outputs?.forEach(({ term }, position) => {
      const keys = imports?.[position]
      if (term && keys && keys.kind !== 'all' && isPushable(query, term, block)) block.imported.push({ term, keys })
    })
  }

  /** A CTE that writes runs once whether it is used or not; in a recursive WITH nothing outside restricts a CTE. */
  #visitWith(node: WithNode | undefined, block: Block): void {
    for (const expression of node?.expressions ?? []) {
      const cte = block.environment.ctes.get(expression.name.table.table.identifier.name)
      if (!cte) continue
      const writes = bareQuery(cte.query).kind !== 'SelectQueryNode'
      if (writes || node?.recursive) this.#visit(cte.query, cte.environment, cte.parent, undefined)
    }
  }

  #visitRelations(query: OperationNode, block: Block): void {
    const target = isWrite(query) ? block.relations[0] : undefined
    for (const relation of block.relations) {
      const { source } = relation
      if (source.kind === 'table') this.#access(query, block, relation, relation === target)
      else if (source.kind === 'system') this.accesses.push({ kind: 'system' })
      else if (source.kind === 'query') this.#visitDerived(block, relation)
    }
  }

  #access(query: OperationNode, block: Block, relation: Relation, writes: boolean): void {
    const { source } = relation
    if (source.kind !== 'table') return
    const { placement } = source
    if (placement.kind === 'reference') this.accesses.push({ kind: 'reference', name: placement.name, writes })
    if (placement.kind === 'single') {
      this.accesses.push({ kind: 'single', name: placement.name, shard: placement.shard, writes })
    }
    if (placement.kind !== 'sharded') return
    if (query.kind === 'InsertQueryNode' && writes) {
      const keys = insertedKeys(query as InsertQueryNode, placement, block, this)
      this.accesses.push({ kind: 'sharded', table: placement, keys, writes, inserts: true })
      return
    }
    const keys = keysOfColumn({ block, relation, column: placement.key }, this)
    this.accesses.push({ kind: 'sharded', table: placement, keys, writes, inserts: false })
    if (query.kind === 'MergeQueryNode' && writes) {
      for (const inserted of mergeInserts(query as MergeQueryNode)) {
        const insertedSet = insertedKeys(inserted, placement, block, this)
        this.accesses.push({ kind: 'sharded', table: placement, keys: insertedSet, writes, inserts: true })
      }
    }
  }

  #visitDerived(block: Block, relation: Relation): void {
    const { source } = relation
    if (source.kind !== 'query') return
    if (source.cte && bareQuery(source.cte.query).kind !== 'SelectQueryNode') return
    const imports = relation.columns?.map((column) => keysOfColumn({ block, relation, column }, this))
    const parent = source.cte ? source.cte.parent : relation.lateral ? block : block.parent
    this.#visit(source.query, source.environment, parent, imports)
  }

  /** Subqueries in any expression of the level. */
  #visitExpressions(query: OperationNode, block: Block): void {
    const handled = new Set<OperationNode>(setArms(query))
    for (const { source } of block.relations) if (source.kind === 'query') handled.add(bareQuery(source.query))
    const visit = (node: OperationNode): void => {
      if (handled.has(node) || node.kind === 'WithNode') return
      if (isQuery(node)) {
        const isMergeInsert =
          query.kind === 'MergeQueryNode' && !(node as InsertQueryNode).into && node.kind !== 'SelectQueryNode'
        if (!isMergeInsert) {
          const ownParent =
            query.kind === 'InsertQueryNode' && (query as InsertQueryNode).values === node ? block.parent : block
          this.#visit(node, block.environment, ownParent, this.#membershipImports(node, block))
          return
        }
      }
      for (const child of childrenOf(node)) visit(child)
    }
    for (const child of childrenOf(query)) visit(child)
  }

  #membershipImports(query: OperationNode, block: Block): Imports | undefined {
    for (const fact of block.facts) {
      const member = membership(fact.predicate)
      if (!member || bareQuery(member.query) !== query || fact.restricts !== everyRelation) continue
      const column = resolveColumn(member.left, block)
      if (column) return [keysOfColumn(column, this)]
    }
    return undefined
  }
}

/** `column in (subquery)` or `column = (subquery)`. */
export function membership(predicate: OperationNode): { left: OperationNode; query: OperationNode } | undefined {
  if (predicate.kind !== 'BinaryOperationNode') return undefined
  const { leftOperand, operator, rightOperand } = predicate as BinaryOperationNode
  if (operator.kind !== 'OperatorNode' || !['in', '='].includes((operator as OperatorNode).operator)) return undefined
  const query = bareQuery(rightOperand)
  return query.kind === 'SelectQueryNode' ? { left: leftOperand, query } : undefined
}

/** Without parentheses and wrappers around it. */
export function bareQuery(node: OperationNode): OperationNode {
  const bare = unwrapRaw(node)
  return bare.kind === 'ParensNode' ? bareQuery((bare as ParensNode).node) : bare
}

export function setArms(query: OperationNode): readonly OperationNode[] {
  const operations = (query as SelectQueryNode).setOperations as readonly SetOperationNode[] | undefined
  return (operations ?? []).map((operation) => bareQuery(operation.expression))
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

function isWrite(query: OperationNode): boolean {
  return query.kind !== 'SelectQueryNode'
}

export function mergeInserts(node: MergeQueryNode): readonly InsertQueryNode[] {
  return (node.whens ?? []).flatMap((when) =>
    when.result?.kind === 'InsertQueryNode' ? [when.result as InsertQueryNode] : [],
  )
}
