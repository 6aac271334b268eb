import { type RootOperationNode, type SelectQueryNode, ValueNode, WhereNode, type WithNode } from 'kysely'
import { type ExecutionContext, runOn } from '../../execute/context.ts'
import { bindSources } from '../../execute/merge-select.ts'
import { bindClock } from '../../plan/clock.ts'
import { compileTemplate } from '../../plan/compile.ts'
import { aliased, rawNode } from '../../plan/decompose/nodes.ts'
import type { PreparedPlan } from '../../plan/prepared-plan.ts'
import { writingCtes } from '../../plan/write/writing-ctes.ts'
import type { Statement } from '../../pool/shard-pool.ts'

/** An UPDATE or DELETE with a CTE that writes as well. */
export function writesBeside({ kind, root }: PreparedPlan): boolean {
  return (kind === 'update' || kind === 'delete') && writingCtes(root).length > 0
}

/**
 * Citus 13.2 runs no task, and so leaves out what the CTEs write, where its planner sees that an UPDATE or DELETE of one
 * shard can match no row (`k = 1 and k = 2`). Asked by EXPLAIN, which knows the values of the call.
 * @returns the CTEs alone, where that is so: the rest has nothing to do
 */
export async function cteWritesAlone(
  plan: PreparedPlan,
  { sql, parameters }: Statement,
  server: number,
  context: ExecutionContext,
): Promise<Statement | undefined> {
  const explain: Statement = { sql: `explain (costs off) ${sql}`, parameters, access: 'read', rows: 'facts' }
  const { rows } = await runOn(context, server, explain)
  if (!rows.some((row) => noTask.test(String((row as { 'QUERY PLAN': unknown })['QUERY PLAN'])))) return undefined
  const { with: node } = bindClock(plan.root) as { with?: WithNode }
  const alone: SelectQueryNode = {
    kind: 'SelectQueryNode',
    ...(node ? { with: node } : {}),
    selections: [aliased(rawNode(['1'], []), 'one')],
    where: WhereNode.create(ValueNode.createImmediate(false)),
  }
  const template = compileTemplate(alone as RootOperationNode, plan.parameters)
  return { sql: template.sql, parameters: bindSources(template, context), access: 'write', rows: 'objects' }
}

/** Of the statement itself; those of its subplans are further in. */
const noTask = /^ {2}Task Count: 0$/
