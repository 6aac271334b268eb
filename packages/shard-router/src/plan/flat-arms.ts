import type { OperationNode, SelectQueryNode, SetOperationNode } from 'kysely'
import { without } from './decompose/nodes.ts'
import { unwrapRaw } from './raw/raw-fragment.ts'
import { refuse } from './refuse.ts'
import { mapNode } from './walk.ts'

/**
 * Kysely writes the arms of a set operation without parentheses: the operations of an arm stand in the text beside
 * those around it, and an ORDER BY or LIMIT at its end is that of the whole. Makes the tree say what the text says.
 * @throws RoutingError UNSUPPORTED_NODE where that text is no SQL
 */
export function flattenArms<N extends OperationNode>(root: N): N {
  return mapNode(root, (node) => (hasOperations(node) ? flattened(node) : undefined))
}

function hasOperations(node: OperationNode): node is SelectQueryNode {
  return node.kind === 'SelectQueryNode' && ((node as SelectQueryNode).setOperations?.length ?? 0) > 0
}

function flattened(node: SelectQueryNode): SelectQueryNode {
  const own = mapNode(node, (child) => (child !== node && hasOperations(child) ? flattened(child) : undefined))
  const operations: SetOperationNode[] = []
  let tail: SelectQueryNode | undefined
  for (const operation of own.setOperations ?? []) {
    const arm = unwrapRaw(operation.expression) as SelectQueryNode
    if (tail) refuseTail()
    if (arm.kind !== 'SelectQueryNode' || arm.with) {
      operations.push(operation)
      continue
    }
    if (hasTail(arm)) tail = arm
    operations.push(bare(operation, arm), ...(arm.setOperations ?? []))
  }
  if (!tail) return { ...own, setOperations: operations }
  if (hasTail(own)) refuseTail()
  const { orderBy, limit, offset, fetch } = tail
  return {
    ...own,
    setOperations: operations,
    ...(orderBy ? { orderBy } : {}),
    ...(limit ? { limit } : {}),
    ...(offset ? { offset } : {}),
    ...(fetch ? { fetch } : {}),
  }
}

function bare(operation: SetOperationNode, arm: SelectQueryNode): SetOperationNode {
  if (!hasTail(arm) && !arm.setOperations) return operation
  return { ...operation, expression: without(arm, 'setOperations', 'orderBy', 'limit', 'offset', 'fetch') }
}

function hasTail({ orderBy, limit, offset, fetch }: SelectQueryNode): boolean {
  return (orderBy ?? limit ?? offset ?? fetch) !== undefined
}

function refuseTail(): never {
  return refuse(
    'UNSUPPORTED_NODE',
    'An arm of a set operation has an ORDER BY or LIMIT of its own, and Kysely writes it without parentheses.',
    'Put the arm in parentheses: union((eb) => eb.parens(query)).',
  )
}
