import type { OperationNode, SelectQueryNode } from 'kysely'
import type { BoundStatement } from '../merge/relation.ts'
import type { GatherStep, MergePlan } from '../plan/merge-plan.ts'
import { mergeSteps } from '../plan/merge-steps.ts'
import type { MultiShardPlan } from '../plan/multi-shard.ts'
import type { PreparedPlan } from '../plan/prepared-plan.ts'
import { refuse } from '../plan/refuse.ts'
import type { StatementResult } from '../pool/shard-pool.ts'
import { type ExecutionContext, runOn } from './context.ts'
import { splitRows } from './insert-rows.ts'
import { bindTemplate, type Gathered, partialShards, runGathers } from './merge-select.ts'
import { anyOf } from './on-any-shard.ts'
import type { Route } from './route.ts'

const column = 'QUERY PLAN'
type Line = Record<string, unknown>

export function isExplain(root: OperationNode): boolean {
  return (root as SelectQueryNode).explain !== undefined
}

/**
 * EXPLAIN over several shards: the plan of each shard under its name, what is read first, and how results are merged.
 * @throws RoutingError UNSUPPORTED_STATEMENT for writes whose parts depend on one another
 */
export async function explainOnShards(
  plan: PreparedPlan,
  route: Route,
  context: ExecutionContext,
): Promise<StatementResult> {
  const lines = await linesOf(plan, plan.multi(), route, context)
  const isText = typeof lines.find((line) => !isStep(line))?.[column] === 'string'
  const rows = isText ? lines : lines.filter((line) => !isStep(line))
  return { command: 'SELECT', rowCount: rows.length, rows, fields: [], server: '' }
}

async function linesOf(
  plan: PreparedPlan,
  multi: MultiShardPlan,
  route: Route,
  context: ExecutionContext,
): Promise<readonly Line[]> {
  switch (multi.kind) {
    case 'fan-out':
      return await mergeLines(multi.merge, route, context)
    case 'broadcast': {
      const bound = bindTemplate(multi.template, await runGathers(multi.gathers, context), context)
      return await context.atomically((transaction) =>
        planLines(new Map(route.shards.map((shard) => [shard, bound])), { ...context, transaction }),
      )
    }
    case 'split': {
      const parts = splitRows(plan, multi, context)
      return await context.atomically((transaction) =>
        planLines(new Map(parts.map(({ shard, statement }) => [shard, statement])), { ...context, transaction }),
      )
    }
    default:
      return refuse(
        'UNSUPPORTED_STATEMENT',
        'EXPLAIN of a write whose parts run one after the other.',
        'Use router.explain(query).',
      )
  }
}

async function mergeLines(merge: MergePlan, route: Route, context: ExecutionContext): Promise<readonly Line[]> {
  const gathered = await runGathers(merge.gathers, context)
  const explained = merge.partial ?? (merge.merge.kind === 'combine' ? merge.merge.combine.final : undefined)
  if (!explained) return []
  const prefix = /^explain(?: \([^)]*\))? /i.exec(explained.sql)?.[0] ?? 'explain '
  const before = await gatherLines(merge.gathers, prefix, context)
  const steps = mergeSteps(merge).map((text) => step(`Merge: ${text}`))
  const shards = merge.partial ? route.shards : anyOf(context).slice(0, 1)
  return [...before, ...steps, ...(await boundLines(explained, gathered, shards, context))]
}

/** Parts that are read first, the inner ones before the outer. */
async function gatherLines(
  gathers: readonly GatherStep[],
  prefix: string,
  context: ExecutionContext,
): Promise<readonly Line[]> {
  const lines: Line[] = []
  for (const { part, plan } of gathers) {
    lines.push(...(await gatherLines(plan.gathers, prefix, context)), step(`First read ${part}`))
    if (!plan.partial) continue
    const template = { ...plan.partial, sql: `${prefix}${plan.partial.sql}` }
    const gathered = await runGathers(plan.gathers, context)
    lines.push(...(await boundLines(template, gathered, partialShards(plan, context), context)))
  }
  return lines
}

async function boundLines(
  template: Parameters<typeof bindTemplate>[0],
  gathered: Gathered,
  shards: readonly number[],
  context: ExecutionContext,
): Promise<readonly Line[]> {
  const bound = bindTemplate(template, gathered, context)
  return await planLines(new Map(shards.map((shard) => [shard, bound])), context)
}

async function planLines(
  statements: ReadonlyMap<number, BoundStatement>,
  context: ExecutionContext,
): Promise<readonly Line[]> {
  const answers = await Promise.all(
    [...statements].map(async ([shard, { sql, parameters }]) => {
      const { rows } = await runOn(context, shard, { sql, parameters, access: 'write', rows: 'objects' })
      return labelled(context.state.topology.shards[shard]?.id ?? String(shard), rows as readonly Line[])
    }),
  )
  return answers.flat()
}

/** Text plans get a line with the shard, JSON plans a field. */
function labelled(shard: string, rows: readonly Line[]): Line[] {
  const plans = rows[0]?.[column]
  if (Array.isArray(plans)) return [{ [column]: plans.map((plan: object) => ({ Shard: shard, ...plan })) }]
  return [
    step(`Shard ${shard}`),
    ...rows.map((row) => ({ [column]: typeof row[column] === 'string' ? `  ${row[column]}` : row[column] })),
  ]
}

const steps = new WeakSet<Line>()

/** A line of ours, which only text plans have room for. */
function step(text: string): Line {
  const line = { [column]: text }
  steps.add(line)
  return line
}

function isStep(line: Line): boolean {
  return steps.has(line)
}
