import type { AggregateFunctionNode, OperationNode, RawNode, SelectQueryNode } from 'kysely'
import { understandRaw } from '../raw/raw-fragment.ts'
import { someNode } from '../walk.ts'
import { type Block, type ColumnTerm, resolveColumn } from './block.ts'
import { sameTerm } from './closure.ts'

/** True when a filter on an output column may as well be applied to the rows below: it drops whole groups, or none. */
export function isPushable(query: OperationNode, term: ColumnTerm, block: Block): boolean {
  if (query.kind !== 'SelectQueryNode') return false
  const node = query as SelectQueryNode
  if (node.limit || node.offset || node.fetch || node.distinctOn) return false
  const shapes = [...(node.selections ?? []), ...(node.having ? [node.having] : [])]
  if (shapes.some((shape) => someNode(shape, isWindow))) return false
  if (node.groupBy) {
    return node.groupBy.items.some((item) => {
      const column = resolveColumn(item.groupBy, block)
      return column !== undefined && sameTerm(column, term)
    })
  }
  return true
}

function isWindow(node: OperationNode): boolean {
  if (node.kind === 'AggregateFunctionNode') return (node as AggregateFunctionNode).over !== undefined
  return node.kind === 'RawNode' && understandRaw(node as RawNode).windowed
}
