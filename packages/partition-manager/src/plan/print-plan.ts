import { describeAction } from './describe-action.ts'
import type { PartitionPlan } from './partition-plan.ts'

/**
 * A plan for people: what, and the SQL whole. This is the dry run.
 * @example
 * console.log(printPlan(planPartitions(state, policy)))
 */
export function printPlan(plan: PartitionPlan): string {
  const lines = [`-- ${plan.table} on shard ${plan.shard}: ${summary(plan)}`]
  for (const problem of plan.problems) lines.push(`-- ${problem.severity}: ${problem.message} [${problem.code}]`)
  for (const action of plan.actions) {
    lines.push('', `-- ${describeAction(action)}`)
    for (const statement of action.sql) lines.push(statement.startsWith('--') ? statement : `${statement};`)
  }
  return `${lines.join('\n')}\n`
}

function summary(plan: PartitionPlan): string {
  if (plan.actions.length === 0) return 'nothing to do'
  return plan.actions.length === 1 ? '1 action' : `${plan.actions.length} actions`
}
