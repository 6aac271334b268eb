import type { AggregateFunctionNode, FunctionNode, OperationNode } from 'kysely'

/** An aggregate of the query, as Kysely's `fn.agg` or as a plain function call. */
export type AggregateCall = AggregateFunctionNode | FunctionNode

/** Adds a partial aggregate to what each shard computes; gives its position among the partial columns. */
export type AddPartial = (node: OperationNode) => number

/**
 * How an aggregate is computed from partial ones: `partials` adds what each shard computes, and gives the expression
 * over the partial columns that is the whole. `inProcess` names the same merge for the in-process engine.
 */
export interface DecomposableAggregate {
  decompose(
    call: AggregateCall,
    add: AddPartial,
  ): { readonly final: OperationNode; readonly inProcess: InProcessAggregate }
}

export type InProcessAggregate =
  | { readonly merge: 'count' | 'sum' | 'min' | 'max'; readonly position: number }
  | { readonly merge: 'avg'; readonly sum: number; readonly count: number }
  | { readonly merge: 'none' }

/** The same call of another function: DISTINCT and FILTER stay. */
export function withFunction(call: AggregateCall, func: string): OperationNode {
  return { ...call, func } as AggregateCall
}
