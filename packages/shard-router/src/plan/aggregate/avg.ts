import { partialColumn, rawNode } from '../decompose/nodes.ts'
import { type DecomposableAggregate, withFunction } from './decomposable.ts'

/** avg(x): travels as sum and count, and is divided once, as PostgreSQL does. */
export const avg: DecomposableAggregate = {
  decompose(call, add) {
    const sum = add(withFunction(call, 'sum'))
    const count = add(withFunction(call, 'count'))
    return {
      final: rawNode(['(sum(', ') / nullif(sum(', '), 0))'], [partialColumn(sum), partialColumn(count)]),
      inProcess: { merge: 'avg', sum, count },
    }
  },
}
