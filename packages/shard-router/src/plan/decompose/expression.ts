import type { AggregateFunctionNode, FunctionNode, OperationNode, RawNode } from 'kysely'
import type { Catalog } from '../catalog.ts'
import { understandRaw, unwrapRaw } from '../raw/raw-fragment.ts'
import { bareName, isQuery } from '../scope/from-clause.ts'
import { childrenOf } from '../walk.ts'

/** What an expression contains outside its subqueries. */
export interface ExpressionTraits {
  readonly aggregate: boolean
  readonly window: boolean
  readonly returnsSet: boolean
}

export function expressionTraits(node: OperationNode, catalog: Catalog): ExpressionTraits {
  const traits = { aggregate: false, window: false, returnsSet: false }
  const called = (name: string, over: boolean): void => {
    const known = catalog.functionTraits(name)
    if (over) traits.window = true
    else if (known?.aggregate || name === 'grouping') traits.aggregate = true
    if (known?.window && !known.aggregate) traits.window = true
    if (known?.returnsSet) traits.returnsSet = true
  }
  const visit = (current: OperationNode): void => {
    if (isQuery(current)) return
    if (current.kind === 'AggregateFunctionNode') {
      const call = current as AggregateFunctionNode
      called(bareName(call.func), call.over !== undefined)
      if (!call.over && !catalog.functionTraits(bareName(call.func))) traits.aggregate = true
    }
    if (current.kind === 'FunctionNode') called(bareName((current as FunctionNode).func), false)
    if (current.kind === 'RawNode' && unwrapRaw(current) === current) {
      const fragment = understandRaw(current as RawNode)
      for (const name of fragment.functions) called(bareName(name), fragment.windowed)
    }
    for (const child of childrenOf(current)) visit(child)
  }
  visit(node)
  return traits
}
