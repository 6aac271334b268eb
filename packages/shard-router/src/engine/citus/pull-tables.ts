import type { Schema } from '@shardwright/core'
import {
  AliasNode,
  type ColumnNode,
  IdentifierNode,
  OffsetNode,
  type OperationNode,
  type ReferenceNode,
  type RootOperationNode,
  type SelectQueryNode,
  ValueNode,
} from 'kysely'
import { Analyzer } from '../../plan/analyzer.ts'
import type { Catalog } from '../../plan/catalog.ts'
import { rowsOfTable, withoutSchemas } from '../../plan/decompose/table-rows.ts'
import type { PreparedPlan } from '../../plan/prepared-plan.ts'
import { isQuery } from '../../plan/scope/from-clause.ts'
import type { Relation } from '../../plan/scope/relation.ts'
import { mapNode, someNode } from '../../plan/walk.ts'

/**
 * The statement with its tables, but the one that it writes, as subqueries of the rows and columns that it needs: OFFSET
 * makes Citus read each on the shards and bring it to one node, where PostgreSQL itself computes the rest.
 * @returns `undefined` where that is not possible, or would say something else
 */
export function pullTables(plan: PreparedPlan, schema: Schema, catalog: Catalog): RootOperationNode | undefined {
  // Of a subquery that Citus 13.2 runs by itself over such rows, it may have thrown them away before.
  if (plan.kind === 'merge' || plan.kind === 'insert' || plan.traits.queries > 1) return undefined
  return replaceTables(plan, schema, catalog, (relation, query) => {
    const rows: SelectQueryNode = { ...query, offset: OffsetNode.create(ValueNode.createImmediate(0)) }
    return AliasNode.create(rows, IdentifierNode.create(relation.alias))
  })
}

/** What stands in FROM for the rows of a table, which are those of `query`. */
type TableReplacement = (relation: Relation, query: SelectQueryNode) => OperationNode

/** @returns `undefined` where a table's columns are not known, or it must be the table itself */
export function replaceTables(
  plan: PreparedPlan,
  schema: Schema,
  catalog: Catalog,
  replacement: TableReplacement,
): RootOperationNode | undefined {
  const { root, traits } = plan
  if (traits.locks || someNode(root, readsSystemColumn)) return undefined
  const analyzer = new Analyzer(schema, catalog, plan.parameters, plan.gathered)
  analyzer.analyze(root)
  const levels = new Map(analyzer.levels)
  if (![...levels.values()].every(({ relations }) => relations.every(isKnown))) return undefined
  const replaced: { readonly table: Relation }[] = []

  /** Level by level: one item of FROM may stand in several, each with conditions of its own. */
  const rewrite = (node: OperationNode): OperationNode | undefined => {
    const block = levels.get(node)
    if (block === undefined) return undefined
    const target = node.kind === 'SelectQueryNode' ? undefined : block.relations[0]
    const tables = block.relations.filter((relation) => relation !== target && isTable(relation))
    replaced.push(...tables.map((table) => ({ table })))
    const items = tables.map((relation): [OperationNode, OperationNode] => {
      const { query } = rowsOfTable(relation, block, root, analyzer)
      return [relation.item, replacement(relation, query)]
    })
    return mapNode(withItems(node, new Map(items)), rewrite)
  }
  const rewritten = mapNode(root as OperationNode, rewrite)
  if (replaced.length === 0) return undefined
  return mapNode(
    rewritten,
    withoutSchemas(replaced, () => undefined),
  ) as RootOperationNode
}

function isKnown(relation: Relation): boolean {
  return relation.columns !== undefined || !isTable(relation)
}

function isTable({ source }: Relation): boolean {
  return source.kind === 'table'
}

/** A subquery has none. */
function readsSystemColumn(node: OperationNode): boolean {
  if (node.kind === 'ReferenceNode') return readsSystemColumn((node as ReferenceNode).column)
  return node.kind === 'ColumnNode' && systemColumns.has((node as ColumnNode).column.name)
}

const systemColumns = new Set(['tableoid', 'xmin', 'cmin', 'xmax', 'cmax', 'ctid'])

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
