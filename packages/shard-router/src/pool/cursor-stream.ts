import { deadlineError } from './deadline.ts'
import { tagDriverError } from './driver-error.ts'
import { poolError } from './pool-error.ts'
import type { Portal, PortalChunk } from './portal.ts'
import { PortalQuery } from './portal-query.ts'
import { graceMs, setTimeoutFor } from './run-on-session.ts'
import type { ServerContext } from './server-context.ts'
import type { Session } from './session.ts'
import { forgetSequences, noteState } from './session-state.ts'
import type { RunOptions, Statement, StatementResult } from './shard-pool.ts'
import { strategyOf } from './stop-request.ts'
import { abandonStatement, stopStatement } from './stop-statement.ts'
import { TransactionPortal } from './transaction-portal.ts'

/** Who holds the session: a stream may still be read when it has been given back. */
export interface StreamHolder {
  readonly inTransaction: boolean
  released(): boolean
}

/**
 * Reads a statement by a server-side portal, at most `chunkSize` rows at a time (for merging, `rows: 'text'`, more of them
 * as the stream goes on); return() closes the portal. In a transaction other statements may run between two chunks; outside
 * one the session is the stream's until its end.
 */
export async function* streamOnSession(
  context: ServerContext,
  session: Session,
  statement: Statement,
  chunkSize: number,
  holder: StreamHolder,
  options?: RunOptions,
): AsyncGenerator<StatementResult, void, undefined> {
  options?.signal?.throwIfAborted()
  noteState(context, session, statement)
  // The timer of each chunk keeps the deadline: the server's would count the time between two chunks too.
  await setTimeoutFor(context, session, undefined)
  await forgetSequences(session, statement)
  if (holder.released()) throw leaseReleased(context)
  const portal = holder.inTransaction
    ? new TransactionPortal(session, statement, context.types)
    : new PortalQuery(session.client, statement, context.types)
  let size = chunkSize
  try {
    for (;;) {
      const chunk = await readChunk(context, session, portal, size, options)
      context.checkCurrent?.(true)
      if (chunk.rows.length > 0) yield toResult(context, chunk)
      if (chunk.last) return
      if (holder.released()) throw leaseReleased(context)
      // Nobody sees the chunks of a merge: larger ones ask the server less often.
      if (statement.rows === 'text') size = largerChunk(size, chunkSize, chunk.rows as readonly TextRow[])
    }
  } catch (error) {
    // The reason of an abort is the caller's own.
    if (options?.signal?.aborted === true && error === options.signal.reason) throw error
    throw tagDriverError(error, context, session)
  } finally {
    if (!session.dead && !holder.released()) await portal.close()
  }
}

type TextRow = readonly (string | null)[]

const chunkLimitBytes = 96 * 1024

/** Twice as many rows, while they are about a hundred kilobytes of text at most. */
function largerChunk(size: number, least: number, rows: readonly TextRow[]): number {
  const [first] = rows
  const last = rows[rows.length - 1]
  const rowBytes = 16 + Math.max(textBytes(first), textBytes(last))
  return Math.max(least, Math.min(size * 2, Math.floor(chunkLimitBytes / rowBytes)))
}

function textBytes(row: TextRow | undefined): number {
  return row?.reduce((sum, value) => sum + 8 + (value?.length ?? 0), 0) ?? 0
}

async function readChunk(
  context: ServerContext,
  session: Session,
  portal: Portal,
  chunkSize: number,
  options: RunOptions | undefined,
): Promise<PortalChunk> {
  const { signal, deadline } = options ?? {}
  signal?.throwIfAborted()
  context.checkCurrent?.()
  const reading = portal.read(chunkSize)
  if (signal === undefined && deadline === undefined) return await reading
  const { promise: stopped, reject } = Promise.withResolvers<never>()
  // A portal whose read is given up cannot be read on: without another wish its statement is cancelled.
  const stop = async (reason: unknown): Promise<void> => {
    if (!portal.giveUp(reason))
      await stopStatement(context, session, reading, strategyOf(options ?? {}) ?? 'cancel query')
    reject(reason)
  }
  const onAbort = () => void stop(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  const late = deadlineError(context.address.label, context.shard)
  // A server that answers no cancel either is left.
  const onDead = () => {
    reject(late)
    void abandonStatement(context, session)
  }
  let grace: NodeJS.Timeout | undefined
  const onLate = () => {
    grace = setTimeout(onDead, graceMs)
    void stop(late)
  }
  const timer =
    deadline === undefined ? undefined : setTimeout(onLate, Math.max(0, deadline - context.clock.monotonicMs()))
  try {
    return await Promise.race([reading, stopped])
  } catch (error) {
    if (signal?.aborted === true) throw signal.reason
    throw grace === undefined ? error : late
  } finally {
    clearTimeout(timer)
    clearTimeout(grace)
    signal?.removeEventListener('abort', onAbort)
  }
}

function leaseReleased({ shard }: ServerContext): Error {
  return poolError('LEASE_RELEASED', 'The lease of this stream was given back.', { shard })
}

function toResult(context: ServerContext, { command, rows, reader }: PortalChunk): StatementResult {
  const server = context.role === 'primary' ? 'primary' : context.address.label
  return { command, rowCount: rows.length, rows, fields: reader.fields, server }
}
