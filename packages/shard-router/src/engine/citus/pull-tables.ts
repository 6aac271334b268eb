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
import { withDependentGroups } from '../../plan/decompose/dependent-groups.ts'
import { TableReplacements } from '../../plan/decompose/table-replacements.ts'
import { rowsOfTable } from '../../plan/decompose/table-rows.ts'
import type { PreparedPlan } from '../../plan/prepared-plan.ts'
import type { Relation } from '../../plan/scope/relation.ts'
import { someNode } from '../../plan/walk.ts'

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
  const tables = new TableReplacements()
  for (const [level, { relations }] of analyzer.levels) {
    if (!relations.every(isKnown)) return undefined
    const block = analyzer.knownBlock(level)
    const target = level.kind === 'SelectQueryNode' ? undefined : relations[0]
    for (const table of relations) {
      if (table === target || !isTable(table)) continue
      tables.add(table, block, replacement(table, rowsOfTable(table, block, root, analyzer).query))
    }
  }
  if (tables.tables.length === 0) return undefined
  const withGroups = (level: OperationNode) => withDependentGroups(level, tables.tables, analyzer)
  return tables.in(root, analyzer, undefined, withGroups)
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
