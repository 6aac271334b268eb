import {
  type AliasNode,
  CaseNode,
  type OperationNode,
  type OperatorNode,
  SelectionNode,
  type SelectQueryNode,
  type UnaryOperationNode,
  ValueNode,
  WhenNode,
} from 'kysely'
import type { Catalog } from './catalog.ts'
import { shapesOf } from './decompose/decompose-level.ts'
import { expressionTraits } from './decompose/expression.ts'
import { unwrapRaw } from './raw/raw-fragment.ts'
import { bareQuery } from './scope/query-node.ts'
import { mapBelow, mapNode } from './walk.ts'

/**
 * PostgreSQL computes the select list of EXISTS for one row at most, and where its rows are read first nobody may either: an expression
 * that fails would fail the statement. They stand where they are checked and never computed.
 */
export function withUnreadLists<N extends OperationNode>(root: N, catalog: Catalog): N {
  const replace = (node: OperationNode): OperationNode | undefined => {
    if (node.kind !== 'UnaryOperationNode' || !isExists(node as UnaryOperationNode)) return undefined
    const bare = bareQuery((node as UnaryOperationNode).operand)
    const below = mapBelow(bare, replace)
    const unread = isPlain(bare, catalog) ? withUnreadList(below as SelectQueryNode) : below
    return mapNode(node, (child) => (child === bare ? unread : undefined))
  }
  return mapNode(root, replace)
}

function isExists({ operator }: UnaryOperationNode): boolean {
  const name = operator.kind === 'OperatorNode' ? (operator as OperatorNode).operator : ''
  return name === 'exists' || name === 'not exists'
}

/** Rows that are there or not, whatever is selected. */
function isPlain(query: OperationNode, catalog: Catalog): boolean {
  if (query.kind !== 'SelectQueryNode') return false
  const node = query as SelectQueryNode
  const { setOperations, distinctOn, frontModifiers, groupBy, having, endModifiers } = node
  if (setOperations ?? distinctOn ?? frontModifiers ?? groupBy ?? having ?? endModifiers) return false
  return shapesOf(node).every((shape) => {
    const { aggregate, window, returnsSet } = expressionTraits(shape, catalog)
    return !aggregate && !window && !returnsSet
  })
}

function withUnreadList(node: SelectQueryNode): SelectQueryNode {
  const selections = node.selections?.map((selection) => {
    const bare = unwrapRaw(selection.selection)
    if (bare.kind !== 'AliasNode') return selection
    const { node: expression, alias } = bare as AliasNode
    const never = WhenNode.create(ValueNode.createImmediate(false))
    const unread = CaseNode.cloneWithWhen(CaseNode.create(), WhenNode.cloneWithResult(never, expression))
    return SelectionNode.create({ kind: 'AliasNode', node: unread, alias } as AliasNode)
  })
  return selections ? { ...node, selections } : node
}
