import { ColumnNode, type OperationNode, ParensNode, type RawNode, ReferenceNode, type SelectQueryNode } from 'kysely'
import { understandRaw, unwrapRaw } from '../raw/raw-fragment.ts'
import { bareColumnName, splitAlias } from '../scope/outputs.ts'
import { withOrderItems } from './order-items.ts'

/**
 * `order by 2` and `group by 1` written as raw text: literal numbers, which name an output by its position. And `order
 * by total` where `total` is the alias of an output, which PostgreSQL takes before any column.
 */
export function withOrdinals(root: OperationNode): OperationNode {
  if (root.kind !== 'SelectQueryNode') return root
  const node = withOrderItems(root) as SelectQueryNode
  const aliases = (node.selections ?? []).flatMap(({ selection }) => splitAlias(unwrapRaw(selection)).name ?? [])
  const named = (item: OperationNode): OperationNode => alias(item, aliases) ?? ordinal(item)
  const order = node.orderBy?.items.map((item) => {
    if (!item.collation) return { ...item, orderBy: named(item.orderBy) }
    // With COLLATE it is an expression, in which names are columns.
    const name = bareColumnName(unwrapRaw(item.orderBy))
    return name !== undefined && aliases.includes(name) ? { ...item, orderBy: ParensNode.create(item.orderBy) } : item
  })
  const groups = node.groupBy?.items.map((item) => ({ ...item, groupBy: ordinal(item.groupBy) }))
  return {
    ...node,
    ...(node.orderBy && order ? { orderBy: { ...node.orderBy, items: order } } : {}),
    ...(node.groupBy && groups ? { groupBy: { ...node.groupBy, items: groups } } : {}),
    ...(node.distinctOn ? { distinctOn: node.distinctOn.map(named) } : {}),
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

function alias(node: OperationNode, aliases: readonly string[]): OperationNode | undefined {
  const bare = unwrapRaw(node)
  if (bare.kind !== 'RawNode') return undefined
  const { tokens, names } = understandRaw(bare as RawNode)
  const [only] = names
  const alone = tokens.every((token) => token === only || token.text === '(' || token.text === ')')
  if (!only || !alone || !aliases.includes(only.text)) return undefined
  return ReferenceNode.create(ColumnNode.create(only.text))
}
