import type { QueryResult } from 'kysely'
import type { MergePlan } from '../plan/merge-plan.ts'
import { mergeSteps } from '../plan/merge-steps.ts'
import type { ExecutionContext } from './context.ts'
import { bindTemplate, runGathers } from './merge-select.ts'
import { onShards } from './on-shards.ts'
import type { Route } from './route.ts'

const column = 'QUERY PLAN'

/** EXPLAIN of a fan-out: the plan of each shard under its name, and how the results would be merged. */
export async function explainOnShards(
  merge: MergePlan,
  route: Route,
  context: ExecutionContext,
): Promise<QueryResult<unknown>> {
  const steps = mergeSteps(merge)
  if (!merge.partial) return { rows: steps.map((step) => ({ [column]: step })) }
  const gathered = await runGathers(merge.gathers, context)
  const bound = bindTemplate(merge.partial, gathered, context)
  const answers = await onShards(context, route.shards, () => ({ ...bound, access: 'write', rows: 'objects' }))
  const rows: Record<string, unknown>[] = []
  for (const { shard, result } of answers) {
    const id = context.state.topology.shards[shard]?.id ?? String(shard)
    for (const row of labelled(id, result.rows as Record<string, unknown>[])) rows.push(row)
  }
  const isText = typeof rows[0]?.[column] === 'string'
  return { rows: isText ? [...steps.map((step) => ({ [column]: `Merge: ${step}` })), ...rows] : rows }
}

/** Text plans get a line with the shard, JSON plans a field. */
function labelled(shard: string, rows: readonly Record<string, unknown>[]): Record<string, unknown>[] {
  const [first] = rows
  const plans = first?.[column]
  if (Array.isArray(plans)) return [{ [column]: plans.map((plan: object) => ({ Shard: shard, ...plan })) }]
  return [
    { [column]: `Shard ${shard}` },
    ...rows.map((row) => ({ [column]: typeof row[column] === 'string' ? `  ${row[column]}` : row[column] })),
  ]
}
