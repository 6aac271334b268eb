import type { CommonTableExpressionNode, OperationNode } from 'kysely'
import { mapNode } from '../../plan/walk.ts'

/**
 * CTEs without NOT MATERIALIZED: a hint, which changes no answer of PostgreSQL. Citus 13.2 joins two uses of such a CTE shard
 * by shard, whatever they are joined on.
 */
export function withoutInlining<N extends OperationNode>(root: N): N {
  const replace = (node: OperationNode): OperationNode | undefined => {
    if (node.kind !== 'CommonTableExpressionNode') return undefined
    const { materialized, ...rest } = node as CommonTableExpressionNode
    return materialized === false ? mapNode(rest as OperationNode, replace) : undefined
  }
  return mapNode(root, replace)
}
