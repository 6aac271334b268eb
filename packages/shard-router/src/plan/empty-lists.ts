import type { BinaryOperationNode, OperationNode, OperatorNode } from 'kysely'
import { rawNode } from './decompose/nodes.ts'
import { isEmptyList } from './key/key-constraint.ts'
import { mapNode } from './walk.ts'

/** `x in ()`, which Kysely writes and PostgreSQL does not read: the empty list holds nothing. */
export function replaceEmptyLists(root: OperationNode): OperationNode {
  return mapNode(root, (node) => {
    if (node.kind !== 'BinaryOperationNode') return undefined
    const { operator, rightOperand } = node as BinaryOperationNode
    if (operator.kind !== 'OperatorNode' || !isEmptyList(rightOperand)) return undefined
    const { operator: name } = operator as OperatorNode
    if (name === 'in') return rawNode(['(1 = 0)'], [])
    return name === 'not in' ? rawNode(['(1 = 1)'], []) : undefined
  })
}
