import type { TravellingRows } from '../merge/relation.ts'
import type { MultiShardPlan, WriteStep } from '../plan/multi-shard.ts'
import type { PreparedPlan } from '../plan/prepared-plan.ts'
import type { StatementResult } from '../pool/shard-pool.ts'
import { type ExecutionContext, runOn } from './context.ts'
import { bindTemplate, checkRows, runGathers, travelling } from './merge-select.ts'
import { routeAccesses } from './route.ts'
import { type RunMany, type WrittenRows, writtenBy } from './written-rows.ts'

/** Runs a statement whose CTEs write: reads, then each write, then the statement over their rows; all or nothing. */
export async function runSteps(
  multi: MultiShardPlan & { kind: 'steps' },
  caller: ExecutionContext,
  runMany: RunMany,
): Promise<StatementResult> {
  return await caller.atomically(async (transaction) => {
    const context: ExecutionContext = { ...caller, transaction, atomically: (work) => work(transaction) }
    const given = new Map<number, TravellingRows>([
      ...(caller.given ?? []),
      ...(await runGathers(multi.reads, context)),
    ])
    const inside: ExecutionContext = { ...context, given }
    for (const step of multi.steps) {
      const written = await runPart(step.plan, inside, 'text', runMany)
      if (step.shape) given.set(step.step, await returnedRows(step, written, inside))
    }
    return (await runPart(multi.main, inside, 'objects', runMany)).result
  })
}

async function returnedRows(
  step: WriteStep,
  { result, shard }: WrittenRows,
  context: ExecutionContext,
): Promise<TravellingRows> {
  checkRows(result.rows.length, context, step.part)
  const shape = step.shape && bindTemplate(step.shape, new Map(), context)
  return await travelling(result.fields, result.rows as TravellingRows['rows'], shard, shape, context)
}

async function runPart(
  plan: PreparedPlan,
  context: ExecutionContext,
  rows: 'objects' | 'text',
  runMany: RunMany,
): Promise<WrittenRows> {
  const route = routeAccesses(plan.accesses, context.call, context.state)
  if (route.shards.length > 1) return await runMany(plan, route, context, rows)
  const shard = route.shards[0] ?? context.transaction?.shards[0] ?? 0
  const template = plan.template ?? { sql: '', sources: [] }
  const bound = bindTemplate(template, new Map(), context)
  return writtenBy(shard, await runOn(context, shard, { ...bound, access: plan.access, rows }))
}
