import type { FetchNode, OperationNode } from 'kysely'
import { refuse } from '../../plan/refuse.ts'
import { someNode } from '../../plan/walk.ts'

/**
 * Citus 13.2 leaves rows out where a FETCH ... WITH TIES over shards orders by what is not selected.
 * @throws RoutingError UNSUPPORTED_MERGE
 */
export function refuseTies(root: OperationNode): void {
  if (!someNode(root, (node) => node.kind === 'FetchNode' && (node as FetchNode).modifier === 'with ties')) return
  refuse(
    'UNSUPPORTED_MERGE',
    'FETCH ... WITH TIES over several shards is not answered whole by Citus.',
    'Read the value of the last row first, and then all rows up to it; or add the shard key.',
  )
}
