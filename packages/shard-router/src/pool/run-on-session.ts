import type { Query } from 'pg'
import type { Batch } from './batch.ts'
import { BatchQuery } from './batch-query.ts'
import { deadlineError } from './deadline.ts'
import { notSent, tagDriverError } from './driver-error.ts'
import { altersTypes } from './name-generation.ts'
import { lostName } from './pooler-check.ts'
import type { ServerContext } from './server-context.ts'
import type { Session } from './session.ts'
import { forgetSequences, noteState } from './session-state.ts'
import type { RunOptions, Statement, StatementResult } from './shard-pool.ts'
import { isChangedResult, isStalePlan, mayBeOldTypes } from './stale-plan.ts'
import { strategyOf } from './stop-request.ts'
import { abandonStatement, stopStatement } from './stop-statement.ts'
import { unnamedForm, type WireForm, WireQuery } from './wire-query.ts'

/**
 * Runs one statement on a session that is the caller's alone. The server itself stops it at the deadline.
 * An abort is answered when the strategy is done, `ignore query` at once; `session.running` tells when the session is free.
 * A BEGIN that waits on the session travels in front of the statement.
 */
export async function runOnSession(
  context: ServerContext,
  session: Session,
  statement: Statement,
  options: RunOptions | undefined,
  batch?: Batch,
): Promise<StatementResult> {
  noteState(context, session, statement)
  // Undoing is right at any time: past a deadline, on a stale topology, for a caller who has given up.
  if (undoes.test(statement.sql)) return await busyWith(session, submit(context, session, statement))
  // Known before anything was sent: whoever commits on a lost session knows that nothing was done.
  if (session.dead) throw notSent(new Error('the session is gone'), context, session)
  options?.signal?.throwIfAborted()
  context.commits.note(statement)
  const running = busyWith(session, submitInTime(context, session, statement, options, batch))
  if (options?.signal === undefined && options?.deadline === undefined) return await running
  return await guarded(context, session, running, options)
}

const undoes = /^\s*(?:rollback|abort)\b/i
const controls = /^\s*(?:commit|end|savepoint|release)\b/i

/** The session is busy from the first message on: a server that does not answer does not answer SET either. */
function busyWith(session: Session, running: Promise<StatementResult>): Promise<StatementResult> {
  session.running = running
  return running
}

async function submitInTime(
  context: ServerContext,
  session: Session,
  statement: Statement,
  options: RunOptions | undefined,
  batch: Batch | undefined,
): Promise<StatementResult> {
  // Within a failed transaction SET fails too; what ends or divides a transaction takes no time of its own.
  if (!controls.test(statement.sql)) {
    try {
      await setTimeoutFor(context, session, options?.deadline)
      const forgetting = forgetSequences(session, statement)
      if (forgetting) await forgetting
    } catch (error) {
      throw notSent(error, context, session)
    }
    options?.signal?.throwIfAborted()
  }
  if (options?.withoutLease !== true) context.checkCurrent?.()
  return batch === undefined
    ? await submit(context, session, statement)
    : await submitBatch(context, session, statement, batch)
}

interface Sent {
  /** The BEGIN that travelled with the statement. */
  begin: string | undefined
}

async function submit(context: ServerContext, session: Session, statement: Statement): Promise<StatementResult> {
  const outside = session.pendingBegin === undefined && session.client.getTransactionStatus() === 'I'
  const form = session.statements.formOf(session, statement, outside || session.pendingBegin !== undefined)
  const sent: Sent = { begin: undefined }
  let byOldTypes = false
  try {
    return await send(context, session, statement, form, sent)
  } catch (error) {
    // Of two statements given at once behind a BEGIN only one travelled with it, and only that one may begin anew.
    const stale = isStalePlan(error)
    if (stale && form.name !== '') session.statements.refused(session.address, statement.sql, error)
    byOldTypes = isChangedResult(error) || (form.name !== '' && !form.parse && mayBeOldTypes(error))
    const first = outside || sent.begin !== undefined
    if (!first || !(stale || byOldTypes)) {
      throw (form.name === '' ? undefined : lostName(context, error)) ?? tagDriverError(error, context, session)
    }
  }
  if (sent.begin !== undefined) await session.client.query('rollback')
  session.pendingBegin = sent.begin
  try {
    const result = await send(context, session, statement, unnamedForm, sent)
    if (byOldTypes) context.names.next()
    return result
  } catch (error) {
    throw tagDriverError(error, context, session)
  }
}

/** Sent once: what came of the other commands of the batch is the caller's to judge, when a plan was stale too. */
async function submitBatch(
  context: ServerContext,
  session: Session,
  statement: Statement,
  batch: Batch,
): Promise<StatementResult> {
  const form = session.statements.formOf(session, statement, true)
  try {
    return await send(context, session, statement, form.simple ? unnamedForm : form, { begin: undefined }, batch)
  } catch (error) {
    if (form.name !== '' && isStalePlan(error)) session.statements.refused(session.address, statement.sql, error)
    throw tagDriverError(error, context, session)
  }
}

function send(
  context: ServerContext,
  session: Session,
  statement: Statement,
  form: WireForm,
  sent: Sent,
  batch?: Batch,
): Promise<StatementResult> {
  return new Promise((resolve, reject) => {
    const settled = (done: WireQuery, error: unknown) => {
      session.statements.answered(done, error === undefined)
      if (altersTypes(done.command, statement.sql, form.simple)) context.names.next()
      if (error === undefined) resolve(done.result(context.role === 'primary' ? 'primary' : context.address.label))
      else reject(error)
    }
    const query =
      batch === undefined
        ? new WireQuery(statement, form, context.types, settled)
        : new BatchQuery(statement, form, context.types, settled, batch)
    query.takePrefix = () => {
      sent.begin = session.pendingBegin
      session.pendingBegin = undefined
      return sent.begin
    }
    session.client.query(query as unknown as Query)
  })
}

/** Gives the session the timeout of what runs next; without a deadline, its own. */
export async function setTimeoutFor(
  context: ServerContext,
  session: Session,
  deadline: number | undefined,
): Promise<void> {
  let wantedMs = 0
  if (deadline !== undefined) {
    wantedMs = Math.ceil(deadline - context.clock.monotonicMs())
    if (wantedMs <= 0) throw deadlineError(context.address.label, context.shard)
  }
  if (session.statementTimeoutMs === wantedMs || context.address.pooler === 'pgbouncer-transaction') return
  // 0 gives the session back what the server, the role or the URL say.
  const text = wantedMs === 0 ? 'reset statement_timeout' : `set statement_timeout = ${wantedMs}`
  session.statementTimeoutMs = undefined
  await session.client.query(text)
  session.statementTimeoutMs = wantedMs
}

/** Beyond a deadline: by then a server that lives has answered. */
export const graceMs = 250

// The server's own statement_timeout comes first as a rule; the timer here is for a server that does not answer at all.
async function guarded(
  context: ServerContext,
  session: Session,
  running: Promise<StatementResult>,
  options: RunOptions,
): Promise<StatementResult> {
  const { signal, deadline } = options
  const { promise: stopped, reject } = Promise.withResolvers<never>()
  let stop: Promise<void> | undefined
  const onAbort = () => {
    const reason: unknown = signal?.reason
    stop = stopStatement(context, session, running, strategyOf(options))
    stop.then(
      () => reject(reason),
      () => reject(reason),
    )
  }
  signal?.addEventListener('abort', onAbort, { once: true })
  const late = deadlineError(context.address.label, context.shard)
  // The caller does not wait for what can be done about a server that does not answer.
  const onLate = () => {
    reject(late)
    void abandonStatement(context, session)
  }
  const timer =
    deadline === undefined
      ? undefined
      : setTimeout(onLate, Math.max(0, deadline - context.clock.monotonicMs()) + graceMs)
  try {
    return await Promise.race([running, stopped])
  } catch (error) {
    if (signal?.aborted === true && (isCanceled(error) || isKilled(error, options))) throw signal.reason
    if (deadline !== undefined && isCanceled(error) && context.clock.monotonicMs() >= deadline - 1) throw late
    throw error
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
    // It was over first: the caller's next statement must not be hit.
    await stop?.catch(ignore)
  }
}

function isCanceled(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === '57014'
}

/** The end of the session that the abort asked for. */
function isKilled(error: unknown, options: RunOptions): boolean {
  if (strategyOf(options) !== 'kill session') return false
  const code = (error as { code?: unknown } | null)?.code
  return code === '57P01' || code === 'SHARD_UNREACHABLE'
}

function ignore(): void {}
