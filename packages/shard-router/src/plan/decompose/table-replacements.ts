import type { OperationNode } from 'kysely'
import type { Analyzer } from '../analyzer.ts'
import type { Block } from '../scope/block.ts'
import { isQuery } from '../scope/from-clause.ts'
import type { Relation } from '../scope/relation.ts'
import { mapNode } from '../walk.ts'
import { withoutSchemas } from './table-rows.ts'

type Replace = (node: OperationNode) => OperationNode | undefined

/**
 * What stands in FROM for tables whose rows are read first. Level by level: levels that were made
 * from one builder have the same node in FROM, and conditions of their own.
 */
export class TableReplacements {
  readonly #byBlock = new Map<Block, Map<OperationNode, OperationNode>>()
  readonly #tables: { readonly table: Relation }[] = []

  add(table: Relation, block: Block, replacement: OperationNode): void {
    const items = this.#byBlock.get(block) ?? new Map<OperationNode, OperationNode>()
    items.set(table.item, replacement)
    this.#byBlock.set(block, items)
    this.#tables.push({ table })
  }

  has(table: Relation, block: Block): boolean {
    return this.#byBlock.get(block)?.has(table.item) === true
  }

  get tables(): readonly Relation[] {
    return this.#tables.map(({ table }) => table)
  }

  /** The tree with the replacements; `other` replaces more of its nodes, `change` a level before. */
  in<N extends OperationNode>(
    root: N,
    analyzer: Analyzer,
    other: Replace = () => undefined,
    change: (level: OperationNode) => OperationNode = (level) => level,
  ): N {
    const levels = new Map(analyzer.levels)
    const replace = withoutSchemas(this.#tables, (node): OperationNode | undefined => {
      const replaced = other(node)
      if (replaced) return replaced
      const block = levels.get(node)
      const items = block && this.#byBlock.get(block)
      return items && mapNode(withItems(change(node), items), replace)
    })
    return mapNode(root, replace)
  }
}

/** The level with other items in FROM, USING and JOIN; always a copy. */
function withItems(level: OperationNode, items: ReadonlyMap<OperationNode, OperationNode>): OperationNode {
  const clauses = Object.entries(level).map(([name, clause]) => [
    name,
    ['from', 'using', 'joins'].includes(name) && clause !== undefined ? replaceIn(clause, items) : clause,
  ])
  return Object.fromEntries(clauses) as OperationNode
}

function replaceIn(clause: unknown, items: ReadonlyMap<OperationNode, OperationNode>): unknown {
  if (Array.isArray(clause)) return clause.map((item) => replaceIn(item, items))
  return mapNode(clause as OperationNode, (node) => items.get(node) ?? (isQuery(node) ? node : undefined))
}
