import type { PgField } from '@shardwright/core'
import { MergeError } from '../errors/merge-error.ts'
import { checkColumns } from '../merge/check-columns.ts'
import { mergeGroups } from '../merge/groups.ts'
import { mergeOrdered } from '../merge/ordered.ts'
import type { PartialResult } from '../merge/partial-result.ts'
import { type BoundStatement, bindRelation, fillSlots, type TravellingRows } from '../merge/relation.ts'
import type { TextRow } from '../merge/row-order.ts'
import { typeOids } from '../merge/value-order.ts'
import type { SqlTemplate } from '../plan/compile.ts'
import type { Combine, GatherStep, Merge, MergePlan, RowWindow } from '../plan/merge-plan.ts'
import { resolveSource, type Source, toCount } from '../plan/source.ts'
import type { Statement } from '../pool/shard-pool.ts'
import { collationsOf } from './collations.ts'
import type { ExecutionContext } from './context.ts'
import { onAnyShard } from './on-any-shard.ts'
import { onShards } from './on-shards.ts'
import { routeAccesses } from './route.ts'

export interface MergedResult {
  readonly fields: readonly PgField[]
  readonly rows: readonly TextRow[]
  /** Whose type oids the fields have: a user-defined type has another on each shard. */
  readonly shard: number
  /** The statement whose columns these are, to ask their collations of; it may have more (hidden) columns. */
  readonly origin?: BoundStatement
}

/** Runs a SELECT over several shards: gathers, partial statements, merge. Rows come as wire text. */
export async function runMergePlan(plan: MergePlan, context: ExecutionContext): Promise<MergedResult> {
  const gathered = await runGathers(plan.gathers, context)
  const { merge } = plan
  if (!plan.partial) return await runFinal((merge as Merge & { kind: 'combine' }).combine, undefined, gathered, context)
  const partial = bindTemplate(plan.partial, gathered, context)
  const shards = partialShards(plan, context)
  const parts = await readParts(partial, shards, merge, context)
  return await mergeParts(merge, parts, partial, gathered, context)
}

/** The shards of a partial statement; one, when no row can match, so that an empty result has its shape. */
export function partialShards(plan: MergePlan, context: ExecutionContext): readonly number[] {
  const { shards } = routeAccesses(plan.accesses, context.call, context.state)
  return shards.length > 0 ? shards : [0]
}

export type Gathered = ReadonlyMap<number, TravellingRows>

export async function runGathers(gathers: readonly GatherStep[], context: ExecutionContext): Promise<Gathered> {
  const results = await Promise.all(
    gathers.map(async (gather): Promise<readonly [number, TravellingRows]> => {
      const { fields, rows, shard, origin } = await runMergePlan(gather.plan, {
        ...context,
        part: gather.part,
        bounded: true,
      })
      checkRows(rows.length, context, gather.part)
      return [gather.step, await travelling(fields, rows, shard, origin, context)]
    }),
  )
  return new Map(results)
}

export function bindTemplate(template: SqlTemplate, gathered: Gathered, context: ExecutionContext): BoundStatement {
  let bound: BoundStatement = { sql: template.sql, parameters: bindSources(template, context) }
  for (const [step, rows] of gathered) bound = bindRelation(bound, step, rows, { by: 'name' })
  return bindGiven(bound, context)
}

function bindGiven(statement: BoundStatement, { given }: ExecutionContext): BoundStatement {
  let bound = statement
  for (const [step, rows] of given ?? []) bound = bindRelation(bound, step, rows, { by: 'name' })
  return bound
}

export function bindSources(template: SqlTemplate, context: ExecutionContext): unknown[] {
  return refusingCounts(() => template.sources.map((source) => resolveSource(source, context.call)))
}

function refusingCounts<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new MergeError({
      code: 'UNSUPPORTED_MERGE',
      message: `LIMIT or OFFSET has a value that cannot be merged: ${cause.message}.`,
      hint: 'Pass whole numbers.',
      cause,
    })
  }
}

async function readParts(
  partial: BoundStatement,
  shards: readonly number[],
  merge: Merge,
  context: ExecutionContext,
): Promise<readonly PartialResult[]> {
  // All of these rows go on to a server, so that more than it may be given need not be kept here.
  const travel = merge.kind === 'combine' || (merge.kind === 'concat' && context.bounded === true)
  const keepRows = travel ? context.maxRows : undefined
  const statement: Statement = { ...partial, access: 'read', rows: 'text', keepRows }
  const answers = await onShards(context, shards, () => statement)
  if (travel) {
    const count = answers.reduce((sum, { result }) => sum + result.rowCount, 0)
    checkRows(count, context, context.part ?? 'the partial rows')
  }
  return answers.map(({ shard, result }) => ({ shard, fields: result.fields, rows: result.rows as readonly TextRow[] }))
}

async function mergeParts(
  merge: Merge,
  parts: readonly PartialResult[],
  partial: BoundStatement,
  gathered: Gathered,
  context: ExecutionContext,
): Promise<MergedResult> {
  const fields = parts[0]?.fields ?? []
  const shard = parts[0]?.shard ?? 0
  checkColumns(parts, 'combine' in merge ? merge.combine.stars : undefined, context.state.topology)
  switch (merge.kind) {
    case 'concat':
      return { fields, rows: parts.flatMap((part) => part.rows), shard, origin: partial }
    case 'ordered': {
      const window = windowOf(merge.window, context)
      const rows = window && mergeOrdered(parts, { ...merge, ...window })
      if (!rows) return await combine(merge.combine, parts, partial, gathered, context)
      return { ...withoutHidden({ fields, rows, shard }, merge.hidden), origin: partial }
    }
    case 'aggregate': {
      if (needsWholeRows(merge, fields)) return await runMergePlan(merge.whole(), context)
      const window = windowOf(merge.aggregate.window, context)
      const merged = window && mergeGroups(parts, merge.aggregate, window)
      return merged ? { ...merged, shard } : await combine(merge.combine, parts, partial, gathered, context)
    }
    case 'combine': {
      if (merge.whole && fields.some((field) => field.dataTypeID === typeOids.float4)) {
        return await runMergePlan(merge.whole(), context)
      }
      return await combine(merge.combine, parts, partial, gathered, context)
    }
  }
}

/** A sum of single precision has lost what an average, computed in double precision, would have kept. */
function needsWholeRows(merge: Merge & { kind: 'aggregate' }, fields: readonly PgField[]): boolean {
  return merge.aggregate.outputs.some(
    (output) =>
      output.kind === 'aggregate' &&
      output.aggregate.merge === 'avg' &&
      fields[output.aggregate.sum]?.dataTypeID === typeOids.float4,
  )
}

/** Of the merged rows: how many to leave out, and how many to give then. */
export interface Counts {
  readonly offset: number
  readonly limit: number
}

/** `undefined` for values that PostgreSQL itself must refuse. */
export function windowOf(window: RowWindow, context: ExecutionContext): Counts | undefined {
  const countOf = (source: Source | undefined) =>
    source ? refusingCounts(() => toCount(resolveSource(source, context.call))) : null
  const limit = countOf(window.limit)
  const offset = countOf(window.offset)
  if ((limit !== null && limit < 0n) || (offset !== null && offset < 0n)) return undefined
  return { offset: Number(offset ?? 0n), limit: limit === null ? Number.POSITIVE_INFINITY : Number(limit) }
}

function withoutHidden(result: MergedResult, hidden: number): MergedResult {
  if (hidden === 0) return result
  const visible = result.fields.length - hidden
  return { ...result, fields: result.fields.slice(0, visible), rows: result.rows.map((row) => row.slice(0, visible)) }
}

async function combine(
  step: Combine,
  parts: readonly PartialResult[],
  partial: BoundStatement,
  gathered: Gathered,
  context: ExecutionContext,
): Promise<MergedResult> {
  const rows = parts.flatMap((part) => part.rows)
  checkRows(rows.length, context, 'the partial rows')
  const first = parts[0] as PartialResult
  const relation = await travelling(first.fields, rows, first.shard, partial, context)
  const alive = parts.map(({ shard }) => shard)
  return await runFinal(step, relation, gathered, context, alive)
}

export async function travelling(
  fields: readonly PgField[],
  rows: readonly TextRow[],
  shard: number,
  partial: BoundStatement | undefined,
  context: ExecutionContext,
): Promise<TravellingRows> {
  const types = await context.state.types.of(
    shard,
    fields.map((field) => field.dataTypeID),
    context.transaction,
  )
  const collations = partial ? await collationsOf(partial, types, shard, context) : types.map(() => undefined)
  return { fields, rows, types: types.map((type) => type.sql), collations }
}

/** One statement over the travelled rows, on one shard, which is one of `among` where they come from shards. */
async function runFinal(
  step: Combine,
  relation: TravellingRows | undefined,
  gathered: Gathered,
  context: ExecutionContext,
  among?: readonly number[],
): Promise<MergedResult> {
  const sql = relation ? fillSlots(step.final, relation, step.hidden) : step.final.sql
  let bound: BoundStatement = { sql, parameters: bindSources(step.final, context) }
  if (relation) bound = bindRelation(bound, 0, relation, { by: 'position', hidden: step.hidden })
  for (const [number, rows] of gathered) bound = bindRelation(bound, number, rows, { by: 'name' })
  bound = bindGiven(bound, context)
  const statement: Statement = { ...bound, access: 'read', rows: 'text' }
  const { shard, result } = await onAnyShard(context, among, statement, relation ? 'combine' : 'part')
  // The same columns over no rows.
  const parameters = bound.parameters.map((value, index) => (index < step.final.sources.length ? value : []))
  const origin = { sql: bound.sql, parameters }
  return { fields: result.fields, rows: result.rows as readonly TextRow[], shard, origin }
}

/** @throws MergeError MERGE_ROWS_EXCEEDED */
export function checkRows(count: number, context: ExecutionContext, part: string): void {
  if (count <= context.maxRows) return
  throw new MergeError({
    code: 'MERGE_ROWS_EXCEEDED',
    message: `${count} rows of ${part} would have to travel to be merged, and maxRows is ${context.maxRows}.`,
    hint: 'Filter or aggregate further, or raise the limit: router.fanOut({ maxRows }).',
    details: { part, rows: count, maxRows: context.maxRows },
  })
}
