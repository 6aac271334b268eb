import { type InsertQueryNode, RawNode, ReturningNode } from 'kysely'
import { bindClock } from '../../plan/clock.ts'
import { compileTemplate, type SqlTemplate } from '../../plan/compile.ts'
import { aliased } from '../../plan/decompose/nodes.ts'
import type { PreparedPlan } from '../../plan/prepared-plan.ts'

/**
 * Citus 13 counts the rows that an INSERT ... SELECT read, where ON CONFLICT left some of them out. With something to return
 * the count is that of what was stored: such a statement returns a constant, which is counted and not kept.
 * @returns `undefined` for every other statement
 */
export function countedInsert(plan: PreparedPlan): SqlTemplate | undefined {
  if (plan.kind !== 'insert') return undefined
  const root = plan.root as InsertQueryNode
  if (root.onConflict === undefined || root.returning || root.explain) return undefined
  if (root.values === undefined || root.values.kind === 'ValuesNode') return undefined
  const returning = ReturningNode.create([aliased(RawNode.createWithSql('1'), 'one')])
  return compileTemplate(bindClock({ ...root, returning }), plan.parameters)
}
