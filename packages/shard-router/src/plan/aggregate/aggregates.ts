import type { AggregateFunctionNode } from 'kysely'
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
