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
  type WithNode,
} from 'kysely'
import { Analyzer } from '../../plan/analyzer.ts'
import type { Catalog } from '../../plan/catalog.ts'
import { rowsOfTable, withoutSchemas } from '../../plan/decompose/table-rows.ts'
import type { PreparedPlan } from '../../plan/prepared-plan.ts'
import type { Block } from '../../plan/scope/block.ts'
import { isQuery } from '../../plan/scope/from-clause.ts'
import type { Relation } from '../../plan/scope/relation.ts'
import { mapNode, someNode } from '../../plan/walk.ts'

/**
 * The statement with its tables, but the one that it writes, as subqueries of the rows and columns that it needs: OFFSET
 * makes Citus read each on the shards and bring it to one node, where PostgreSQL itself computes the rest.
 * @returns `undefined` where that is not possible, or would say something else
 */
export function pullTables(plan: PreparedPlan, schema: Schema, catalog: Catalog): RootOperationNode | undefined {
  const { root, traits, kind } = plan
  if (kind === 'merge' || traits.locks || someNode(root, cannotBePulled)) return undefined
  const analyzer = new Analyzer(schema, catalog, plan.parameters, plan.gathered)
  analyzer.analyze(root)
  const levels = new Map(analyzer.levels)
  const known = [...levels.values()].every(({ relations }) => relations.every(isKnown))
  if (!known) return undefined
  const pulled: { readonly table: Relation }[] = []

  const pull = (relation: Relation, block: Block): OperationNode => {
    pulled.push({ table: relation })
    const { query } = rowsOfTable(relation, block, root, analyzer)
    const rows: SelectQueryNode = { ...query, offset: OffsetNode.create(ValueNode.createImmediate(0)) }
    return AliasNode.create(rows, IdentifierNode.create(relation.alias))
  }
  /** Level by level: one item of FROM may stand in several, each with conditions of its own. */
  const rewrite = (node: OperationNode): OperationNode | undefined => {
    const block = levels.get(node)
    if (block === undefined) return undefined
    const target = node.kind === 'SelectQueryNode' ? undefined : block.relations[0]
    const tables = block.relations.filter((relation) => relation !== target && isTable(relation))
    const items = new Map(tables.map((relation) => [relation.item, pull(relation, block)]))
    return mapNode(withItems(node, items), rewrite)
  }
  const rewritten = mapNode(root as OperationNode, rewrite)
  if (pulled.length === 0) return undefined
  return mapNode(
    rewritten,
    withoutSchemas(pulled, () => undefined),
  ) as RootOperationNode
}

function isKnown(relation: Relation): boolean {
  return relation.columns !== undefined || !isTable(relation)
}

function isTable({ source }: Relation): boolean {
  return source.kind === 'table'
}

/** Citus runs no recursive CTE beside rows of several shards; a subquery has no system columns. */
function cannotBePulled(node: OperationNode): boolean {
  if (node.kind === 'ReferenceNode') return cannotBePulled((node as ReferenceNode).column)
  if (node.kind === 'ColumnNode') return systemColumns.has((node as ColumnNode).column.name)
  return node.kind === 'WithNode' && (node as WithNode).recursive === true
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
