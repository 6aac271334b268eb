import type { AliasNode, OperationNode, SelectQueryNode } from 'kysely'
import type { Catalog } from './catalog.ts'
import { shapesOf } from './decompose/decompose-level.ts'
import { expressionTraits } from './decompose/expression.ts'
import { isGroupingSet } from './decompose/grouping-sets.ts'
import type { PreparedPlan } from './prepared-plan.ts'
import { unwrapRaw } from './raw/raw-fragment.ts'

/** True when the statement touches only sharded tables and gives no row where no key matches: nobody need be asked. */
export function isEmptyWithoutKeys(plan: Pick<PreparedPlan, 'kind' | 'root' | 'accesses'>, catalog: Catalog): boolean {
  if (plan.kind === 'insert' || plan.kind === 'merge') return false
  const needed =
    plan.kind === 'select'
      ? plan.accesses
      : plan.accesses.filter((access) => access.kind === 'sharded' && access.writes)
  if (needed.length === 0 || needed.some((access) => access.kind !== 'sharded')) return false
  if (plan.kind !== 'select') return true
  const node = plan.root as SelectQueryNode
  if (node.with || node.setOperations || node.joins?.some((join) => join.joinType !== 'InnerJoin')) return false
  const items = [...(node.from?.froms ?? []), ...(node.joins ?? []).map((join) => join.table)]
  // A subquery may give a row of no rows: count(*).
  if (items.length === 0 || plan.accesses.length !== items.length || !items.every(isTable)) return false
  if (node.groupBy) return !node.groupBy.items.some((item) => isGroupingSet(unwrapRaw(item.groupBy)))
  return !node.having && !shapesOf(node).some((shape) => expressionTraits(shape, catalog).aggregate)
}

function isTable(item: OperationNode): boolean {
  const bare = unwrapRaw(item)
  return bare.kind === 'AliasNode'
    ? unwrapRaw((bare as AliasNode).node).kind === 'TableNode'
    : bare.kind === 'TableNode'
}
