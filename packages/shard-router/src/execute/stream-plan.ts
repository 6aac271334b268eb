import type { QueryResult } from 'kysely'
import { MergeError } from '../errors/merge-error.ts'
import { parseRows } from '../merge/parse-rows.ts'
import { streamOrdered } from '../merge/stream-ordered.ts'
import type { PreparedPlan } from '../plan/prepared-plan.ts'
import { refuse } from '../plan/refuse.ts'
import type { Statement, StatementResult } from '../pool/shard-pool.ts'
import { addToken } from '../transaction/token-after-commit.ts'
import type { ExecutionContext } from './context.ts'
import { callersStatement, withMoment } from './execute-plan.ts'
import { bindTemplate, runGathers, runMergePlan, windowOf } from './merge-select.ts'
import { anyOf } from './on-any-shard.ts'
import type { Route } from './route.ts'

type Chunks = AsyncIterableIterator<QueryResult<unknown>>

async function* raw(shard: number, statement: Statement, chunkSize: number, context: ExecutionContext): Chunks {
  for await (const result of chunksOf(shard, statement, chunkSize, context)) yield { rows: result.rows as unknown[] }
}

/** Streams a statement: one shard's cursor, all shards' one after the other, or merged by their order. */
async function* planned(
  plan: PreparedPlan,
  route: Route,
  sql: string,
  chunkSize: number,
  caller: ExecutionContext,
): Chunks {
  if (route.shards.length <= 1) {
    const shard = route.shards[0] ?? anyOf(caller)[0] ?? 0
    yield* raw(shard, callersStatement(plan, sql, caller), chunkSize, caller)
    return
  }
  const multi = plan.multi()
  if (multi.kind !== 'fan-out') {
    refuse('UNSUPPORTED_STATEMENT', 'A write to several shards cannot be streamed.', 'Use execute().')
  }
  const { merge } = multi
  const context = await withMoment(plan, caller, route)
  const gathered = await runGathers(merge.gathers, context)
  if (merge.partial && merge.merge.kind === 'concat') {
    const statement: Statement = { ...bindTemplate(merge.partial, gathered, context), access: 'read', rows: 'objects' }
    yield* oneAfterTheOther(
      route.shards.map((shard) => chunksOf(shard, statement, chunkSize, context)),
      context.transaction !== undefined,
    )
    return
  }
  const window = merge.merge.kind === 'ordered' ? windowOf(merge.merge.window, context) : undefined
  if (merge.partial && merge.merge.kind === 'ordered' && window && !merge.merge.distinct) {
    const statement: Statement = { ...bindTemplate(merge.partial, gathered, context), access: 'read', rows: 'text' }
    const sources = route.shards.map((shard) => chunksOf(shard, statement, chunkSize, context))
    const streamed = yield* streamOrdered(sources, { ...merge.merge, ...window }, chunkSize, context)
    if (streamed) return
  }
  yield* chunked(await runMergePlan(merge, context), chunkSize, context)
}

/**
 * The rows of one cursor after those of another. `together`: all are opened at once, so that none sees what the transaction
 * does while an earlier one is read, as a single cursor would not.
 */
async function* oneAfterTheOther(
  cursors: readonly AsyncIterableIterator<StatementResult>[],
  together: boolean,
): Chunks {
  try {
    const firsts = together ? await Promise.all(cursors.map((cursor) => cursor.next())) : []
    for (const [index, cursor] of cursors.entries()) {
      for (let step = firsts[index] ?? (await cursor.next()); step.done !== true; step = await cursor.next()) {
        yield { rows: step.value.rows as unknown[] }
      }
    }
  } finally {
    await Promise.all(cursors.map((cursor) => cursor.return?.()))
  }
}

function* chunked(
  result: Awaited<ReturnType<typeof runMergePlan>>,
  chunkSize: number,
  context: ExecutionContext,
): Generator<QueryResult<unknown>> {
  for (let at = 0; at < result.rows.length; at += chunkSize) {
    yield { rows: parseRows(result.rows.slice(at, at + chunkSize), result.fields, context.state.parsers) }
  }
}

/** A cursor on a client of its own, given back when the reader is done. */
async function* chunksOf(
  shard: number,
  statement: Statement,
  chunkSize: number,
  context: ExecutionContext,
): AsyncIterableIterator<StatementResult> {
  const { transaction, state, run, leases = state.pool } = context
  if (transaction) {
    yield* transaction.stream(shard, statement, chunkSize, run)
    return
  }
  const lease = await leases.lease(shard, { ...run, access: statement.access })
  let failure: unknown
  let finished = false
  try {
    for await (const chunk of lease.stream(statement, chunkSize, run)) yield chunk
    finished = true
  } catch (error) {
    failure = error
    throw error
  } finally {
    if (failure === undefined || isStatementError(failure)) lease.release()
    else lease.destroy(failure)
    // Committed when its portal was closed, also before its end.
    if (failure === undefined && statement.access === 'write') await addToken(state.pool, state.telemetry, shard)
    if (!finished) state.telemetry.count('shardwright.router.streams_ended_early', 1)
  }
}

/** The server answered with an error: the session is in order. */
function isStatementError(error: unknown): boolean {
  if (error instanceof MergeError) return true
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !/^(08|57P)/.test(code)
}

export const streamPlan = Object.freeze({ raw, planned })
