import type {
  BinaryOperationNode,
  OperationNode,
  OperatorNode,
  ParensNode,
  SelectQueryNode,
  SetOperationNode,
} from 'kysely'
import { unwrapRaw } from '../raw/raw-fragment.ts'

/** Without parentheses and wrappers around it. */
export function bareQuery(node: OperationNode): OperationNode {
  const bare = unwrapRaw(node)
  return bare.kind === 'ParensNode' ? bareQuery((bare as ParensNode).node) : bare
}

export function setArms(query: OperationNode): readonly OperationNode[] {
  const operations = (query as SelectQueryNode).setOperations as readonly SetOperationNode[] | undefined
  return (operations ?? []).map((operation) => bareQuery(operation.expression))
}

/** `column in (subquery)` or `column = (subquery)`. */
export function membership(predicate: OperationNode): { left: OperationNode; query: OperationNode } | undefined {
  if (predicate.kind !== 'BinaryOperationNode') return undefined
  const { leftOperand, operator, rightOperand } = predicate as BinaryOperationNode
  if (operator.kind !== 'OperatorNode' || !['in', '='].includes((operator as OperatorNode).operator)) return undefined
  const query = bareQuery(rightOperand)
  return query.kind === 'SelectQueryNode' ? { left: leftOperand, query } : undefined
}
