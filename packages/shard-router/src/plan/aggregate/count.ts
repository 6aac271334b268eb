import { partialColumn, rawNode } from '../decompose/nodes.ts'
import type { DecomposableAggregate } from './decomposable.ts'

/** count(x) and count(*): the sum of the counts; 0 where nothing was counted. */
export const count: DecomposableAggregate = {
  decompose(call, add) {
    const position = add(call)
    return {
      final: rawNode(['cast(coalesce(sum(', '), 0) as bigint)'], [partialColumn(position)]),
      inProcess: { merge: 'count', position },
    }
  },
}
