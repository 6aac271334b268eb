import type { InsertQueryNode, MergeQueryNode, OperationNode, SelectQueryNode, WithNode } from 'kysely'
import type { Access } from './access.ts'
import type { Analyzer } from './analyzer.ts'
import type { KeySet } from './key/key-set.ts'
import { type Block, everyRelation, resolveColumn } from './scope/block.ts'
import { keysOfColumn } from './scope/closure.ts'
import { emptyEnvironment } from './scope/cte-environment.ts'
import { isQuery } from './scope/from-clause.ts'
import { isPushable } from './scope/pushable.ts'
import { bareQuery, membership, setArms } from './scope/query-node.ts'
import type { CteEnvironment, Relation } from './scope/relation.ts'
import { childrenOf } from './walk.ts'
import { insertedKeys } from './write/inserted-keys.ts'
import { mergeInserts } from './write/merge-when.ts'

type Imports = readonly (KeySet | undefined)[]

/** Every use of a table in a statement, with the keys that its rows can have. */
export class TableAccesses {
  readonly found: Access[] = []
  readonly #analyzer: Analyzer
  readonly #flat: boolean

  /** `flat`: the statement has no subquery, so nobody need look for one. */
  constructor(analyzer: Analyzer, flat: boolean) {
    this.#analyzer = analyzer
    this.#flat = flat
  }

  of(root: OperationNode): readonly Access[] {
    this.#visit(root, emptyEnvironment, undefined, undefined)
    return this.found
  }

  #visit(query: OperationNode, environment: CteEnvironment, parent: Block | undefined, imports: Imports | undefined) {
    const bare = bareQuery(query)
    const block = this.#analyzer.blockOf(bare, environment, parent)
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
    const outputs = imports && this.#analyzer.outputs(query, block)
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
    const target = query.kind !== 'SelectQueryNode' ? block.relations[0] : undefined
    for (const relation of block.relations) {
      const { source } = relation
      if (source.kind === 'table') this.#access(query, block, relation, relation === target)
      else if (source.kind === 'system') this.found.push({ kind: 'system' })
      else if (source.kind === 'query') this.#visitDerived(block, relation)
    }
  }

  #access(query: OperationNode, block: Block, relation: Relation, writes: boolean): void {
    const { source } = relation
    if (source.kind !== 'table') return
    const { placement } = source
    if (placement.kind === 'reference') this.found.push({ kind: 'reference', name: placement.name, writes })
    if (placement.kind === 'single') {
      this.found.push({ kind: 'single', name: placement.name, shard: placement.shard, writes })
    }
    if (placement.kind !== 'sharded') return
    if (query.kind === 'InsertQueryNode' && writes) {
      const keys = insertedKeys(query as InsertQueryNode, placement, block, this.#analyzer)
      this.found.push({ kind: 'sharded', table: placement, keys, writes, inserts: true })
      return
    }
    const keys = keysOfColumn({ block, relation, column: placement.key }, this.#analyzer)
    this.found.push({ kind: 'sharded', table: placement, keys, writes, inserts: false })
    if (query.kind === 'MergeQueryNode' && writes) {
      for (const inserted of mergeInserts(query as MergeQueryNode)) {
        const insertedSet = insertedKeys(inserted, placement, block, this.#analyzer)
        this.found.push({ kind: 'sharded', table: placement, keys: insertedSet, writes, inserts: true })
      }
    }
  }

  #visitDerived(block: Block, relation: Relation): void {
    const { source } = relation
    if (source.kind !== 'query') return
    if (source.cte && bareQuery(source.cte.query).kind !== 'SelectQueryNode') return
    const imports = relation.columns?.map((column) => keysOfColumn({ block, relation, column }, this.#analyzer))
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
      if (column) return [keysOfColumn(column, this.#analyzer)]
    }
    return undefined
  }
}
