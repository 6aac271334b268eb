import type { Schema } from '@shardwright/core'
import type { InsertQueryNode, OperationNode, ReferenceNode, SelectQueryNode } from 'kysely'
import type { Catalog } from './catalog.ts'
import type { Block } from './scope/block.ts'
import { buildBlock } from './scope/build-block.ts'
import { cteEnvironment } from './scope/cte-environment.ts'
import type { NameContext } from './scope/from-clause.ts'
import { ownsColumn } from './scope/outer-names.ts'
import { bareColumnName, type Output, outputsOf } from './scope/outputs.ts'
import { bareQuery } from './scope/query-node.ts'
import type { CteEnvironment } from './scope/relation.ts'

/** Output names of the gathered parts that stand in a tree as tables. */
export type GatheredColumns = ReadonlyMap<string, readonly string[] | undefined>

/** The levels of a statement by their query nodes, each made when it is first asked for. */
export class Levels implements NameContext {
  readonly schema: Schema
  readonly catalog: Catalog
  readonly gathered: GatheredColumns
  readonly #blocks = new Map<OperationNode, Block>()
  /** Queries whose level is being built. */
  readonly #building = new Set<OperationNode>()

  constructor(schema: Schema, catalog: Catalog, gathered: GatheredColumns) {
    this.schema = schema
    this.catalog = catalog
    this.gathered = gathered
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
  get all(): Iterable<readonly [OperationNode, Block]> {
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
}
