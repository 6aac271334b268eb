import { ColumnNode, GroupByItemNode, type OperationNode, ReferenceNode, type SelectQueryNode, TableNode } from 'kysely'
import type { Analyzer } from '../analyzer.ts'
import { unwrapRaw } from '../raw/raw-fragment.ts'
import { resolveColumn } from '../scope/block.ts'
import type { Relation } from '../scope/relation.ts'
import { someNode } from '../walk.ts'
import { shapesOf } from './decompose-level.ts'
import { isGroupingSet } from './grouping-sets.ts'

/**
 * GROUP BY of a table's primary key lets its other columns through; gathered rows have no primary key, so the columns
 * that are used are grouped by too.
 */
export function withDependentGroups(
  root: OperationNode,
  tables: readonly Relation[],
  analyzer: Analyzer,
): OperationNode {
  const node = root as SelectQueryNode
  if (root.kind !== 'SelectQueryNode' || !node.groupBy) return root
  const items = node.groupBy.items.map((item) => unwrapRaw(item.groupBy))
  if (items.some(isGroupingSet)) return root
  const block = analyzer.knownBlock(root)
  const grouped = items.map((item) => resolveColumn(item, block))
  const added = tables.flatMap((relation) => {
    const { source } = relation
    if (source.kind !== 'table' || !block.relations.includes(relation)) return []
    const has = (column: string) => grouped.some((term) => term?.relation === relation && term.column === column)
    const { schema, table } = source.placement
    const key = analyzer.catalog.table(schema, table)?.primaryKey ?? []
    if (key.length === 0 || !key.every(has)) return []
    const isUsed = (column: string) =>
      shapesOf(node).some((shape) =>
        someNode(shape, (current) => {
          const term = resolveColumn(current, block)
          return term?.relation === relation && term.column === column
        }),
      )
    return (relation.columns ?? [])
      .filter((column) => !has(column) && isUsed(column))
      .map((column) =>
        GroupByItemNode.create(ReferenceNode.create(ColumnNode.create(column), TableNode.create(relation.alias))),
      )
  })
  if (added.length === 0) return root
  return { ...node, groupBy: { ...node.groupBy, items: [...node.groupBy.items, ...added] } } as OperationNode
}
