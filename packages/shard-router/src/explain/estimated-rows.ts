import type { ExecutionContext } from '../execute/context.ts'
import { runOn } from '../execute/context.ts'
import { bindSources } from '../execute/merge-select.ts'
import type { SqlTemplate } from '../plan/compile.ts'

/** The rows that each shard's planner expects of a statement; `undefined` where rows that are read first stand in it. */
export async function estimatedRows(
  template: SqlTemplate,
  shards: readonly number[],
  context: ExecutionContext,
): Promise<readonly (number | undefined)[] | undefined> {
  if (template.sql.includes('"shardwright:gather:') || template.sources.some((source) => source.from === 'moment')) {
    return undefined
  }
  // The caller's own EXPLAIN, or a statement that has none.
  if (/^\s*explain\b/i.test(template.sql)) return undefined
  const statement = {
    sql: `explain (format json) ${template.sql}`,
    parameters: bindSources(template, context),
    access: 'write',
    rows: 'objects',
  } as const
  return await Promise.all(shards.map(async (shard) => rowsOfPlan((await runOn(context, shard, statement)).rows[0])))
}

/** A write without RETURNING gives no rows: what counts is what it reads. */
function rowsOfPlan(row: unknown): number | undefined {
  const plans = (row as { 'QUERY PLAN'?: unknown } | undefined)?.['QUERY PLAN']
  const [first] = (typeof plans === 'string' ? JSON.parse(plans) : plans) as { Plan?: Plan }[]
  let plan = first?.Plan
  while (plan?.['Node Type'] === 'ModifyTable' && plan.Plans?.[0]) [plan] = plan.Plans
  return plan?.['Plan Rows']
}

interface Plan {
  readonly 'Node Type': string
  readonly 'Plan Rows': number
  readonly Plans?: readonly Plan[]
}
