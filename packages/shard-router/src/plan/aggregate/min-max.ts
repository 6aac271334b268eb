import { partialColumn, rawNode } from '../decompose/nodes.ts'
import type { DecomposableAggregate } from './decomposable.ts'

/** min(x), max(x): of the minima and maxima. */
export const min: DecomposableAggregate = extreme('min')
export const max: DecomposableAggregate = extreme('max')

function extreme(func: 'min' | 'max'): DecomposableAggregate {
  return {
    decompose(call, add) {
      const position = add(call)
      return { final: rawNode([`${func}(`, ')'], [partialColumn(position)]), inProcess: { merge: func, position } }
    },
  }
}
