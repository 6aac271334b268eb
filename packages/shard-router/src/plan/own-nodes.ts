import type { OperationNode } from 'kysely'
import { mapBelow, mapNode } from './walk.ts'

/**
 * The tree with a node of its own in each place: the planner knows levels and parameters by the identity of their nodes.
 * A builder or an expression that is used twice is two of them, and another call may give them different values.
 */
export function withOwnNodes<N extends OperationNode>(root: N): N {
  const seen = new Set<OperationNode>()
  const own = (node: OperationNode): OperationNode | undefined => {
    if (seen.has(node)) return { ...mapBelow(node, own) }
    seen.add(node)
    return undefined
  }
  return mapNode(root, own)
}
