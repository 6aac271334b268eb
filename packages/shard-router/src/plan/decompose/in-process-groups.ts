import type { AliasNode, OperationNode, SelectQueryNode } from 'kysely'
import type { InProcessAggregate } from '../aggregate/decomposable.ts'
import type { ParameterIndex } from '../compile.ts'
import type { AggregateMerge, AggregateOutput, OrderKey } from '../merge-plan.ts'
import { unwrapRaw } from '../raw/raw-fragment.ts'
import type { Block } from '../scope/block.ts'
import { bareColumnName, impliedName, splitAlias } from '../scope/outputs.ts'
import { directionOf, rowWindow } from './order.ts'
import { signatureOf } from './partial-columns.ts'
import { isDistinct } from './row-local.ts'

export interface GroupContext {
  readonly block: Block
  readonly parameters: ParameterIndex
  groupPosition(node: OperationNode): number | undefined
  aggregate(node: OperationNode): InProcessAggregate | undefined
}

/**
 * The merge of plain groups and plain aggregates, without the server; `undefined` when an expression, HAVING or
 * DISTINCT needs PostgreSQL. Whether the types allow it is known when the rows arrive.
 */
export function inProcessGroups(
  node: SelectQueryNode,
  groupItems: readonly OperationNode[],
  context: GroupContext,
): Omit<AggregateMerge, 'groups'> | undefined {
  if (node.having || node.distinctOn || node.fetch || isDistinct(node)) return undefined
  if (groupItems.some((item) => context.groupPosition(item) === undefined)) return undefined
  const window = rowWindow(node, context.parameters)
  const outputs = (node.selections ?? []).map(({ selection }) => outputOf(unwrapRaw(selection), context))
  if (!window || outputs.some((output) => output === undefined)) return undefined
  const known = outputs as AggregateOutput[]
  const order = orderOf(node, known, context)
  return order && { outputs: known, order, window }
}

function outputOf(selection: OperationNode, context: GroupContext): AggregateOutput | undefined {
  const { expression, name } = splitAlias(selection as AliasNode)
  const outputName = name ?? impliedName(expression)
  if (outputName === undefined) return undefined
  const aggregate = context.aggregate(expression)
  if (aggregate) return aggregate.merge === 'none' ? undefined : { kind: 'aggregate', name: outputName, aggregate }
  const position = context.groupPosition(expression)
  return position === undefined ? undefined : { kind: 'group', name: outputName, position }
}

function orderOf(
  node: SelectQueryNode,
  outputs: readonly AggregateOutput[],
  context: GroupContext,
): OrderKey[] | undefined {
  const signatures = (node.selections ?? []).map(({ selection }) =>
    signatureOf(splitAlias(unwrapRaw(selection)).expression, context.block, context.parameters),
  )
  const keys: OrderKey[] = []
  for (const item of node.orderBy?.items ?? []) {
    if (item.collation) return undefined
    const bare = unwrapRaw(item.orderBy)
    const name = bareColumnName(bare)
    const byName = outputs.findIndex((output) => name !== undefined && output.name === name)
    const position = byName >= 0 ? byName : signatures.indexOf(signatureOf(bare, context.block, context.parameters))
    if (position < 0) return undefined
    keys.push({ position, ...directionOf(item) })
  }
  return keys
}
