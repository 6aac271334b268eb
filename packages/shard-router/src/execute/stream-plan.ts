import type { QueryResult } from 'kysely'
import { MergeError } from '../errors/merge-error.ts'
import { parseRows } from '../merge/parse-rows.ts'
import { streamOrdered } from '../merge/stream-ordered.ts'
import type { PreparedPlan } from '../plan/prepared-plan.ts'
import { leftEarly } from '../pool/measured-stream.ts'
import type { RunOptions, Statement, StatementResult } from '../pool/shard-pool.ts'
import { addToken, readsOnwards } from '../transaction/token-after-commit.ts'
import type { ExecutionContext } from './context.ts'
import { callersStatement, executeOnMany, withMoment } from './execute-plan.ts'
import { isExplain } from './explain-on-shards.ts'
import { bindTemplate, runGathers, runMergePlan, windowOf } from './merge-select.ts'
import { anyOf } from './on-any-shard.ts'
import type { Route } from './route.ts'
import { slices } from './slices.ts'

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
  const multi = isExplain(plan.root) ? undefined : plan.multi()
  if (multi?.kind !== 'fan-out') {
    // A write is over, on all shards or on none, before its first row is given.
    const { rows } = await executeOnMany(plan, route, caller)
    for (const piece of slices(rows, chunkSize)) yield { rows: piece }
    return
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
    const { stoppable, stop } = stoppableReads(context)
    const sources = route.shards.map((shard) => chunksOf(shard, statement, chunkSize, stoppable))
    const streamed = yield* streamOrdered(
      sources,
      { ...merge.merge, ...window, shards: route.shards },
      chunkSize,
      context,
      stop,
    )
    if (streamed) return
  }
  const { rows, fields } = await runMergePlan(merge, context)
  for (const piece of slices(rows, chunkSize)) yield { rows: parseRows(piece, fields, context.state.parsers) }
}

/** Reads that are under way need not be waited for when nobody wants them; in a transaction a cancel would fail it. */
function stoppableReads(context: ExecutionContext): { stoppable: ExecutionContext; stop: () => void } {
  if (context.transaction) return { stoppable: context, stop: () => {} }
  const left = new AbortController()
  const { signal, abortStrategy = 'cancel query' } = context.run
  const run = {
    ...context.run,
    signal: signal ? AbortSignal.any([signal, left.signal]) : left.signal,
    abortStrategy,
  }
  return { stoppable: { ...context, run }, stop: () => left.abort(leftEarly) }
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
  try {
    for await (const chunk of lease.stream(statement, chunkSize, run)) yield chunk
  } catch (error) {
    failure = error
    throw error
  } finally {
    if (failure === undefined || isStatementError(failure) || isStopped(failure, run)) lease.release()
    else lease.destroy(failure)
    // Committed when its portal was closed, also before its end.
    if (failure === undefined && (statement.access === 'write' || readsOnwards(state.pool, shard)))
      await addToken(state.pool, state.telemetry, shard)
  }
}

/** The server answered with an error: the session is in order. */
function isStatementError(error: unknown): boolean {
  if (error instanceof MergeError) return true
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !/^(08|57P)/.test(code)
}

/** The read was cancelled, and its answer awaited; a session that was ended for it is known to be dead. */
function isStopped(error: unknown, { signal }: RunOptions): boolean {
  return signal?.aborted === true && error === signal.reason
}

export const streamPlan = Object.freeze({ raw, planned })
