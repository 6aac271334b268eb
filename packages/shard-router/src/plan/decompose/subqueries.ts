import type { OperationNode } from 'kysely'
import type { Analyzer } from '../analyzer.ts'
import { isQuery } from '../scope/from-clause.ts'
import { bareQuery, setArms } from '../scope/query-node.ts'
import { childrenOf } from '../walk.ts'

/** Subqueries in the expressions of one level: not FROM, not WITH, not the other arms. */
export function subqueriesOf(query: OperationNode, analyzer: Analyzer): readonly OperationNode[] {
  const found: OperationNode[] = []
  const skip = new Set<OperationNode>(setArms(query))
  for (const { source } of analyzer.knownBlock(query).relations) {
    if (source.kind === 'query' && !source.cte) skip.add(bareQuery(source.query))
  }
  const visit = (node: OperationNode): void => {
    if (node.kind === 'WithNode' || skip.has(node)) return
    // What MERGE does in its WHENs are no statements of their own.
    const action = query.kind === 'MergeQueryNode' && isQuery(node) && node.kind !== 'SelectQueryNode'
    if (isQuery(node) && !action) found.push(node)
    else for (const child of childrenOf(node)) visit(child)
  }
  for (const child of childrenOf(query)) visit(child)
  return found
}
