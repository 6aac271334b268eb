import Cursor from 'pg-cursor'
import { deadlineError } from './deadline.ts'
import { tagDriverError } from './driver-error.ts'
import { createRowReader, type RowReader } from './row-reader.ts'
import type { ServerContext } from './server-context.ts'
import type { Session } from './session.ts'
import type { RunOptions, Statement, StatementResult } from './shard-pool.ts'
import { stopStatement } from './stop-statement.ts'

const asText = { getTypeParser: () => same }

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
  const cursor = new Cursor<(string | null)[]>(statement.sql, [...statement.parameters], {
    rowMode: 'array',
    // Cursor's types lack the method that it calls; identity parsers keep the raw text, which RowReader reads.
    types: asText as never,
  })
  // A cursor that is about to end, or is being closed, does not tell when its connection goes away.
  const { promise: lost, reject } = Promise.withResolvers<never>()
  lost.catch(ignore)
  const onEnd = () => reject(new Error('the connection is gone'))
  session.client.once('end', onEnd)
  if (session.dead) onEnd()
  session.client.query(cursor)
  let open = true
  let size = chunkSize
  let reader: RowReader | undefined
  try {
    for (;;) {
      const chunk = await readChunk(context, session, cursor, size, lost, options)
      reader ??= createRowReader(chunk.fields, context.types)
      if (chunk.rows.length > 0) yield toResult(context, statement, chunk, reader)
      if (chunk.rows.length < size) {
        open = false
        return
      }
      // Nobody sees the chunks of a merge: larger ones ask the server less often.
      if (statement.rows === 'text') size = largerChunk(size, chunkSize, chunk.rows)
    }
  } catch (error) {
    open = false
    throw tagDriverError(error, context, session)
  } finally {
    if (open && !session.dead) await Promise.race([cursor.close(), lost.catch(ignore)])
    session.client.removeListener('end', onEnd)
  }
}

const chunkLimitBytes = 96 * 1024

/** Twice as many rows, while they are about a hundred kilobytes of text at most. */
function largerChunk(size: number, least: number, rows: readonly (readonly (string | null)[])[]): number {
  const [first] = rows
  const last = rows[rows.length - 1]
  const rowBytes = 16 + Math.max(textBytes(first), textBytes(last))
  return Math.max(least, Math.min(size * 2, Math.floor(chunkLimitBytes / rowBytes)))
}

function textBytes(row: readonly (string | null)[] | undefined): number {
  return row?.reduce((sum, value) => sum + 8 + (value?.length ?? 0), 0) ?? 0
}

interface Chunk {
  readonly rows: readonly (string | null)[][]
  readonly fields: Parameters<typeof createRowReader>[0]
  readonly command: string
}

async function readChunk(
  context: ServerContext,
  session: Session,
  cursor: Cursor<(string | null)[]>,
  chunkSize: number,
  lost: Promise<never>,
  options: RunOptions | undefined,
): Promise<Chunk> {
  const answered = new Promise<Chunk>((resolve, reject) => {
    cursor.read(chunkSize, (error: Error | undefined, rows, result) => {
      if (error) reject(error)
      else resolve({ rows, fields: result?.fields ?? [], command: result?.command ?? 'SELECT' })
    })
  })
  const reading = Promise.race([answered, lost])
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

function toResult(context: ServerContext, statement: Statement, chunk: Chunk, reader: RowReader): StatementResult {
  const rows = statement.rows === 'text' ? chunk.rows : chunk.rows.map((row) => reader.readObject(row))
  return {
    command: chunk.command ?? 'SELECT',
    rowCount: rows.length,
    rows,
    fields: reader.fields,
    server: context.role === 'primary' ? 'primary' : context.address.label,
  }
}

function same(text: string): string {
  return text
}

function ignore(): void {}
