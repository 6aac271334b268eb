import type { GroupByNode, OperationNode, RawNode, SelectQueryNode } from 'kysely'
import { openRaw } from '../raw/open-raw.ts'
import { unwrapRaw } from '../raw/raw-fragment.ts'
import type { Block } from '../scope/block.ts'
import { isQuery } from '../scope/from-clause.ts'
import { mapNode } from '../walk.ts'
import { openGroupingSet } from './grouping-sets.ts'

/** Raw fragments with their columns as references, so that they can be taken apart. */
export function openSelections(node: SelectQueryNode, block: Block): SelectQueryNode {
  const open = <N extends OperationNode>(clause: N): N =>
    mapNode(clause, (current) => {
      if (isQuery(current)) return current
      if (current.kind !== 'RawNode') return undefined
      const opened = openRaw(current as RawNode, block)
      return opened === current ? undefined : mapChildren(opened, open)
    })
  return {
    ...node,
    ...(node.selections ? { selections: node.selections.map(open) } : {}),
    ...(node.groupBy ? { groupBy: openSets(open(node.groupBy)) } : {}),
    ...(node.having ? { having: open(node.having) } : {}),
    ...(node.orderBy ? { orderBy: open(node.orderBy) } : {}),
    ...(node.distinctOn ? { distinctOn: node.distinctOn.map(open) } : {}),
  }
}

function openSets(clause: GroupByNode): GroupByNode {
  const items = clause.items.map((item) => ({ ...item, groupBy: openGroupingSet(unwrapRaw(item.groupBy)) }))
  return { ...clause, items }
}

function mapChildren(node: OperationNode, open: <N extends OperationNode>(clause: N) => N): OperationNode {
  if (node.kind !== 'RawNode') return open(node)
  const raw = node as RawNode
  return { ...raw, parameters: raw.parameters.map((parameter) => open(parameter)) } as RawNode
}
