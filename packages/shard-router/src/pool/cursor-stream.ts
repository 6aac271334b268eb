import { deadlineError } from './deadline.ts'
import { tagDriverError } from './driver-error.ts'
import { type PortalChunk, PortalQuery } from './portal-query.ts'
import type { ServerContext } from './server-context.ts'
import type { Session } from './session.ts'
import type { RunOptions, Statement, StatementResult } from './shard-pool.ts'
import { stopStatement } from './stop-statement.ts'

/**
 * Reads a statement by a server-side portal, at most `chunkSize` rows at a time (for merging, `rows: 'text'`, more of them
 * as the stream goes on); return() closes the portal.
 */
export async function* streamOnSession(
  context: ServerContext,
  session: Session,
  statement: Statement,
  chunkSize: number,
  options?: RunOptions,
): AsyncGenerator<StatementResult, void, undefined> {
  options?.signal?.throwIfAborted()
  const portal = new PortalQuery(statement, context.types)
  let open = true
  let size = chunkSize
  try {
    for (;;) {
      const chunk = await readChunk(context, session, portal, size, options)
      open = !chunk.last
      if (chunk.rows.length > 0) yield toResult(context, chunk)
      if (chunk.last) return
      // Nobody sees the chunks of a merge: larger ones ask the server less often.
      if (statement.rows === 'text') size = largerChunk(size, chunkSize, chunk.rows as readonly TextRow[])
    }
  } catch (error) {
    open = false
    throw tagDriverError(error, context, session)
  } finally {
    if (open && !session.dead) await portal.close()
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
  portal: PortalQuery,
  chunkSize: number,
  options: RunOptions | undefined,
): Promise<PortalChunk> {
  const reading = portal.read(session.client, chunkSize)
  const { signal, deadline } = options ?? {}
  if (signal === undefined && deadline === undefined) return await reading
  const { promise: stopped, reject } = Promise.withResolvers<never>()
  // A portal whose read is given up cannot be read on: without another wish its statement is cancelled.
  const stop = (reason: unknown) =>
    void stopStatement(context, session, reading, options?.abortStrategy ?? 'cancel query').then(() => reject(reason))
  const onAbort = () => stop(signal?.reason)
  if (signal?.aborted === true) onAbort()
  signal?.addEventListener('abort', onAbort, { once: true })
  const timer =
    deadline === undefined
      ? undefined
      : setTimeout(
          () => stop(deadlineError(context.address.label, context.shard)),
          Math.max(0, deadline - context.clock.monotonicMs()),
        )
  try {
    return await Promise.race([reading, stopped])
  } catch (error) {
    if (signal?.aborted === true) throw signal.reason
    throw error
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
  }
}

function toResult(context: ServerContext, { command, rows, reader }: PortalChunk): StatementResult {
  const server = context.role === 'primary' ? 'primary' : context.address.label
  return { command, rowCount: rows.length, rows, fields: reader.fields, server }
}
