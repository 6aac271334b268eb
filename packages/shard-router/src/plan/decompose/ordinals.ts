import type { OperationNode, RawNode, SelectQueryNode } from 'kysely'
import { unwrapRaw } from '../raw/raw-fragment.ts'
import { withOrderItems } from './order-items.ts'

/** `order by 2` and `group by 1` written as raw text: literal numbers, which name an output by its position. */
export function withOrdinals(root: OperationNode): OperationNode {
  if (root.kind !== 'SelectQueryNode') return root
  const node = withOrderItems(root) as SelectQueryNode
  const order = node.orderBy?.items.map((item) => ({ ...item, orderBy: ordinal(item.orderBy) }))
  const groups = node.groupBy?.items.map((item) => ({ ...item, groupBy: ordinal(item.groupBy) }))
  return {
    ...node,
    ...(node.orderBy && order ? { orderBy: { ...node.orderBy, items: order } } : {}),
    ...(node.groupBy && groups ? { groupBy: { ...node.groupBy, items: groups } } : {}),
    ...(node.distinctOn ? { distinctOn: node.distinctOn.map(ordinal) } : {}),
  } as OperationNode
}

function ordinal(node: OperationNode): OperationNode {
  const bare = unwrapRaw(node)
  if (bare.kind !== 'RawNode') return node
  const { sqlFragments, parameters } = bare as RawNode
  const text = sqlFragments.join('').trim()
  const position = parameters.length === 0 && /^\d+$/.test(text)
  return position ? ({ kind: 'ValueNode', value: Number(text), immediate: true } as OperationNode) : node
}
