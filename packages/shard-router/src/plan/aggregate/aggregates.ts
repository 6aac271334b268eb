import type { AggregateFunctionNode, OperationNode, RawNode, WhereNode } from 'kysely'
import { unwrapRaw } from '../raw/raw-fragment.ts'
import { bareName } from '../scope/from-clause.ts'
import { avg } from './avg.ts'
import { count } from './count.ts'
import type { AggregateCall, DecomposableAggregate } from './decomposable.ts'
import { max, min } from './min-max.ts'
import { repeated } from './repeated.ts'
import { sum } from './sum.ts'

const decomposable: ReadonlyMap<string, DecomposableAggregate> = new Map([
  ['count', count],
  ['sum', sum],
  ['avg', avg],
  ['min', min],
  ['max', max],
  ...['bool_and', 'bool_or', 'every', 'bit_and', 'bit_or', 'bit_xor'].map((name) => [name, repeated(name)] as const),
])

// DISTINCT changes nothing for these.
const indifferentToRepeats = new Set(['min', 'max', 'bool_and', 'bool_or', 'every', 'bit_and', 'bit_or'])

/** How to merge a call from partial results, or `undefined` when its rows have to travel. */
export function decomposableAggregate(call: AggregateCall): DecomposableAggregate | undefined {
  const name = bareName(call.func)
  const found = decomposable.get(name)
  if (call.kind !== 'AggregateFunctionNode') return found
  const { distinct, orderBy, withinGroup } = call as AggregateFunctionNode
  if (withinGroup || orderBy) return undefined
  return distinct && !indifferentToRepeats.has(name) ? undefined : found
}

/** True when repeated input rows do not change the result, so that DISTINCT rows are enough. */
export function ignoresRepeats(call: AggregateCall): boolean {
  const distinct = call.kind === 'AggregateFunctionNode' && (call as AggregateFunctionNode).distinct === true
  return distinct || indifferentToRepeats.has(bareName(call.func))
}

/** True for `count(distinct x)` and its relatives over values that can be grouped by. */
export function isOfDistinctValues(call: AggregateCall): boolean {
  if (call.kind !== 'AggregateFunctionNode') return false
  const { distinct, withinGroup } = call as AggregateFunctionNode
  return distinct === true && !withinGroup && distinctValues(call).length > 0
}

/** The expressions that such an aggregate computes from single rows: arguments, ORDER BY, FILTER; constants stay. */
export function distinctValues(call: AggregateCall): readonly OperationNode[] {
  const { aggregated, filter, orderBy } = call as AggregateFunctionNode
  const ordered = orderBy?.items.map((item) => item.orderBy) ?? []
  const filtered = filter ? [(filter as WhereNode).where] : []
  return [...aggregated, ...ordered, ...filtered].filter((node) => !isConstant(node))
}

function isConstant(node: OperationNode): boolean {
  const bare = unwrapRaw(node)
  return bare.kind === 'ValueNode' || (bare.kind === 'RawNode' && (bare as RawNode).parameters.length === 0)
}
