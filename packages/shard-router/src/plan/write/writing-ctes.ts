import type { CommonTableExpressionNode, OperationNode, SelectQueryNode, WithNode } from 'kysely'
import { refuse } from '../refuse.ts'
import { isQuery } from '../scope/from-clause.ts'
import { bareQuery } from '../scope/query-node.ts'
import { childrenOf } from '../walk.ts'

/** The CTEs of a statement that write; PostgreSQL has them at its top level only. @throws RoutingError CROSS_SHARD_WRITE */
export function writingCtes(root: OperationNode): readonly CommonTableExpressionNode[] {
  const expressions = (root as SelectQueryNode).with?.expressions ?? []
  const writing = expressions.filter((expression) => isWrite(bareQuery(expression.expression)))
  const known = new Set<OperationNode>(writing.map((expression) => bareQuery(expression.expression)))
  const visit = (node: OperationNode, inMerge: boolean): void => {
    if (isWrite(node) && node !== root && !known.has(node) && !inMerge) {
      refuse(
        'CROSS_SHARD_WRITE',
        'A query that writes stands below the top level of the statement.',
        'PostgreSQL allows data-modifying WITH at the top level only.',
      )
    }
    for (const child of childrenOf(node)) visit(child, node.kind === 'WhenNode')
  }
  visit(root, false)
  return writing
}

function isWrite(node: OperationNode): boolean {
  return isQuery(node) && node.kind !== 'SelectQueryNode'
}

/** A query with other CTEs before its own. */
export function withExpressions(
  query: OperationNode,
  before: readonly CommonTableExpressionNode[],
  recursive: boolean | undefined,
): OperationNode {
  const own = (query as SelectQueryNode).with
  const expressions = [...before, ...(own?.expressions ?? [])]
  if (expressions.length === 0) return query
  const node: WithNode = {
    kind: 'WithNode',
    expressions,
    ...(recursive || own?.recursive ? { recursive: true } : {}),
  }
  return { ...query, with: node } as OperationNode
}
