import { partialColumn, rawNode } from '../decompose/nodes.ts'
import type { DecomposableAggregate } from './decomposable.ts'

/** bool_and, bool_or, every, bit_and, bit_or, bit_xor: applied again to the partial results. */
export function repeated(func: string): DecomposableAggregate {
  return {
    decompose(call, add) {
      const position = add(call)
      return { final: rawNode([`${func}(`, ')'], [partialColumn(position)]), inProcess: { merge: 'none' } }
    },
  }
}
