import type { QueryResult } from 'kysely'
import { parseRows } from '../merge/parse-rows.ts'
import type { Catalog } from '../plan/catalog.ts'
import type { MultiShardPlan } from '../plan/multi-shard.ts'
import type { PreparedPlan } from '../plan/prepared-plan.ts'
import { refuse } from '../plan/refuse.ts'
import { type Moment, resolveSource } from '../plan/source.ts'
import type { Statement, StatementResult } from '../pool/shard-pool.ts'
import { type ExecutionContext, runOn } from './context.ts'
import { explainOnShards, isExplain } from './explain-on-shards.ts'
import { insertParts, sumResults } from './insert-parts.ts'
import { splitRows } from './insert-rows.ts'
import { insertSelected } from './insert-selected.ts'
import { bindTemplate, runGathers, runMergePlan } from './merge-select.ts'
import { onAnyShard } from './on-any-shard.ts'
import { onShards } from './on-shards.ts'
import type { Route } from './route.ts'
import { runSteps } from './run-steps.ts'
import { lead, writeReference } from './write-reference.ts'
import { type WrittenRows, writtenBy } from './written-rows.ts'

/** Sends the statement as it is to one shard. */
export async function executeOnOne(
  plan: PreparedPlan,
  shard: number,
  sql: string,
  context: ExecutionContext,
): Promise<QueryResult<unknown>> {
  return toQueryResult(await runOn(context, shard, callersStatement(plan, sql, context), 'part'))
}

/** The same for a read that every shard answers alike; the first of `shards` has its turn. */
export async function executeOnAny(
  plan: PreparedPlan,
  shards: readonly number[],
  sql: string,
  context: ExecutionContext,
): Promise<QueryResult<unknown>> {
  return toQueryResult((await onAnyShard(context, shards, callersStatement(plan, sql, context), 'part')).result)
}

/** The statement with the caller's own text and parameters, unless planning had to rewrite it. */
export function callersStatement(plan: PreparedPlan, sql: string, context: ExecutionContext): Statement {
  const { template } = plan
  return {
    sql: template ? template.sql : sql,
    parameters: template
      ? template.sources.map((source) => resolveSource(source, context.call))
      : context.call.parameters,
    access: plan.access,
    rows: 'objects',
  }
}

/** Runs a statement over several shards. */
export async function executeOnMany(
  plan: PreparedPlan,
  route: Route,
  caller: ExecutionContext,
): Promise<QueryResult<unknown>> {
  return toQueryResult((await runOnMany(plan, route, caller, 'objects')).result)
}

async function runOnMany(
  plan: PreparedPlan,
  route: Route,
  caller: ExecutionContext,
  rows: 'objects' | 'text',
): Promise<WrittenRows> {
  const multi = plan.multi()
  const context = multi.moment ? await atMoment(caller, route) : caller
  if (isExplain(plan.root)) return writtenBy(0, await explainOnShards(plan, route, context))
  switch (multi.kind) {
    case 'fan-out':
      return writtenBy(0, selected((await fanOut(multi, route, context)).rows))
    case 'broadcast':
      return await broadcast(multi, route, context, rows)
    case 'split': {
      const parts = splitRows(plan, multi, context, route.shardOfRow)
      // DO NOTHING may do just that on a shard, which then need not be prepared.
      return await insertParts(parts, context, rows, !multi.node.onConflict?.doNothing)
    }
    case 'insert-select':
      return await insertSelected(plan, multi, context, rows)
    case 'steps':
      return writtenBy(0, await runSteps(multi, context, runOnMany))
    case 'reference':
      return writtenBy(
        lead,
        await context.atomically((transaction) => writeReference(multi.write, transaction, context, rows)),
      )
  }
}

function selected(rows: readonly unknown[]): StatementResult {
  return { command: 'SELECT', rowCount: rows.length, rows, fields: [], server: '' }
}

/** Reads the clock once for a statement that mentions it, so that all shards see the same moment. */
export async function withMoment(
  plan: PreparedPlan,
  context: ExecutionContext,
  route?: Route,
): Promise<ExecutionContext> {
  return plan.traits.clock.length === 0 ? context : await atMoment(context, route)
}

async function atMoment(context: ExecutionContext, route?: Route): Promise<ExecutionContext> {
  if (context.call.moment !== undefined) return context
  const { result } = await onAnyShard(context, route?.shards, {
    sql: 'select pg_catalog.now()::text as transaction, pg_catalog.statement_timestamp()::text as statement',
    parameters: [],
    access: 'read',
    rows: 'facts',
  })
  const [moment] = result.rows as [Moment]
  return { ...context, call: { ...context.call, moment } }
}

async function fanOut(
  multi: MultiShardPlan & { kind: 'fan-out' },
  route: Route,
  context: ExecutionContext,
): Promise<QueryResult<unknown>> {
  const { merge } = multi
  if (merge.merge.kind === 'concat' && merge.partial) {
    // Nothing to compare: the driver may parse the rows as it does for one shard.
    const gathered = await runGathers(merge.gathers, context)
    const bound = bindTemplate(merge.partial, gathered, context)
    const answers = await onShards(context, route.shards, () => ({ ...bound, access: 'read', rows: 'objects' }))
    return { rows: answers.flatMap(({ result }) => result.rows as unknown[]) }
  }
  const { fields, rows } = await runMergePlan(merge, context)
  return { rows: parseRows(rows, fields, context.state.parsers) }
}

async function broadcast(
  multi: MultiShardPlan & { kind: 'broadcast' },
  route: Route,
  context: ExecutionContext,
  rows: 'objects' | 'text',
): Promise<WrittenRows> {
  const gathered = await runGathers(multi.gathers, context)
  const bound = bindTemplate(multi.template, gathered, context)
  return await context.atomically(async (transaction) => {
    const results = await Promise.all(
      route.shards.map((shard) => transaction.execute(shard, { ...bound, access: 'write', rows }, context.run)),
    )
    return writtenBy(route.shards[0] ?? 0, sumResults(results))
  })
}

const countsRows = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE'])

export function toQueryResult(result: StatementResult): QueryResult<unknown> {
  const rows = result.rows as unknown[]
  return countsRows.has(result.command) ? { numAffectedRows: BigInt(result.rowCount), rows } : { rows }
}

/** @throws RoutingError SHARD_KEY_REQUIRED when all shards would be asked and nobody asked for that */
export function requireKey(plan: PreparedPlan, route: Route, catalog: Catalog): void {
  if (route.keyless.length === 0 || plan.fanOutAllowed) return
  const tables = route.keyless.map((name) => `'${name}'`).join(', ')
  const unfilled = plan.lookups.find(({ lookup }) => !catalog.lookupReady(lookup.name))?.lookup.name
  refuse(
    'SHARD_KEY_REQUIRED',
    `The query names no shard key for ${tables}, so it would go to every shard.`,
    unfilled
      ? `The lookup '${unfilled}' is not filled yet: run shardwright lookups backfill, then router.refresh().`
      : 'Add the shard key to WHERE, or ask for all shards: router.fanOut().',
    { tables: route.keyless },
  )
}
