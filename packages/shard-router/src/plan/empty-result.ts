import type { SelectQueryNode } from 'kysely'
import type { Catalog } from './catalog.ts'
import { shapesOf } from './decompose/decompose-level.ts'
import { expressionTraits } from './decompose/expression.ts'
import type { PreparedPlan } from './prepared-plan.ts'

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
  if (node.setOperations || node.joins?.some((join) => join.joinType !== 'InnerJoin')) return false
  if (!node.from || plan.accesses.length !== node.from.froms.length + (node.joins?.length ?? 0)) return false
  return node.groupBy !== undefined || !shapesOf(node).some((shape) => expressionTraits(shape, catalog).aggregate)
}
