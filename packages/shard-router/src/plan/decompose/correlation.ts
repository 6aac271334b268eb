import type { OperationNode, RawNode } from 'kysely'
import type { Analyzer } from '../analyzer.ts'
import { type Block, resolveColumn } from '../scope/block.ts'
import { isQuery } from '../scope/from-clause.ts'
import { namesOuter } from '../scope/outer-names.ts'
import { bareQuery, setArms } from '../scope/query-node.ts'
import { childrenOf } from '../walk.ts'
import { subqueriesOf } from './subqueries.ts'

/** True when the subquery may use a column of a level around it. */
export function isCorrelated(subquery: OperationNode, outer: Block, analyzer: Analyzer): boolean {
  const inside = new Set<Block>()
  const collect = (query: OperationNode): void => {
    for (const arm of [bareQuery(query), ...setArms(bareQuery(query))]) {
      const block = analyzer.knownBlock(arm)
      inside.add(block)
      for (const { source } of block.relations) if (source.kind === 'query' && !source.cte) collect(source.query)
      for (const inner of subqueriesOf(arm, analyzer)) collect(inner)
    }
  }
  collect(subquery)
  return [...inside].some((block) => refersOut(block, inside, outer, analyzer))
}

function refersOut(block: Block, inside: ReadonlySet<Block>, outer: Block, analyzer: Analyzer): boolean {
  const query = analyzer.queryOf(block)
  const check = (node: OperationNode): boolean => {
    if (node !== query && isQuery(node)) return false
    if (node.kind === 'RawNode' || node.kind === 'ReferenceNode' || node.kind === 'ColumnNode') {
      const term = resolveColumn(node, block)
      if (term) return !inside.has(term.block)
      if (node.kind === 'ReferenceNode') return analyzer.mayBeOuter(node, block, outer)
      if (node.kind === 'RawNode' && namesOuter(node as RawNode, block, inside, outer)) return true
    }
    return childrenOf(node).some(check)
  }
  return query !== undefined && childrenOf(query).some(check)
}
