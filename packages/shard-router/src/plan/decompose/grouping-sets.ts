import type { FunctionNode, OperationNode, ParensNode, RawNode } from 'kysely'
import { unwrapRaw } from '../raw/raw-fragment.ts'
import { refuse } from '../refuse.ts'
import { bareName } from '../scope/from-clause.ts'

const keyword = /^\s*(rollup|cube|grouping\s+sets)\s*\(/i

/**
 * The expressions inside `rollup(a, b)`, `cube(...)` and `grouping sets (...)`; `undefined` for a plain GROUP BY item.
 * Shards group by all of them, the final statement by the sets.
 */
export function groupingSetParts(item: OperationNode): readonly OperationNode[] | undefined {
  if (!isGroupingSet(item)) return undefined
  if (item.kind === 'FunctionNode') return (item as FunctionNode).arguments.flatMap(members)
  const { sqlFragments, parameters } = item as RawNode
  const between = sqlFragments.map((text) => text.replace(/\b(rollup|cube|grouping\s+sets)\b/gi, ''))
  if (between.some((text) => !/^[\s(),]*$/.test(text))) {
    refuse(
      'UNSUPPORTED_MERGE',
      'ROLLUP, CUBE and GROUPING SETS over expressions cannot be taken apart.',
      'Compute the expression in a subquery, and name its column in the grouping sets.',
    )
  }
  return parameters.flatMap(members)
}

/** True for ROLLUP, CUBE and GROUPING SETS: over no rows they may still give one. */
export function isGroupingSet(item: OperationNode): boolean {
  if (item.kind === 'FunctionNode') return ['rollup', 'cube'].includes(bareName((item as FunctionNode).func))
  return item.kind === 'RawNode' && keyword.test((item as RawNode).sqlFragments[0] ?? '')
}

function members(node: OperationNode): readonly OperationNode[] {
  const bare = unwrapRaw(node)
  if (bare.kind === 'ParensNode') return members((bare as ParensNode).node)
  if (bare.kind !== 'TupleNode' && bare.kind !== 'ValueListNode') return groupingSetParts(bare) ?? [bare]
  return (bare as unknown as { values: readonly OperationNode[] }).values.flatMap(members)
}
