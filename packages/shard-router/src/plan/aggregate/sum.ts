import { castToPartial, partialColumn, rawNode } from '../decompose/nodes.ts'
import type { DecomposableAggregate } from './decomposable.ts'

/** sum(x): the sum of the sums, in the type of the sum (a sum of bigint sums would be numeric). */
export const sum: DecomposableAggregate = {
  decompose(call, add) {
    const position = add(call)
    return {
      final: castToPartial(rawNode(['sum(', ')'], [partialColumn(position)]), position),
      inProcess: { merge: 'sum', position },
    }
  },
}
