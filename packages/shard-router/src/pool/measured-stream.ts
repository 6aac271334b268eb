import type { ServerContext } from './server-context.ts'
import type { Statement, StatementResult } from './shard-pool.ts'
import type { StatementTelemetry } from './statement-telemetry.ts'

/** Why the router itself stops the reads of a stream: its reader has gone, which is no failure. */
export const leftEarly = Object.freeze(new DOMException('Nobody reads the stream any more.', 'AbortError'))

/** Measures a stream as one statement, whose duration is that of its reads: what its reader does in between is not in it. */
export async function* measuredStream(
  context: ServerContext,
  statement: Statement,
  chunks: AsyncGenerator<StatementResult, void, undefined>,
  telemetry: StatementTelemetry,
): AsyncGenerator<StatementResult, void, undefined> {
  const { sql } = statement
  const span = telemetry.start(statement, 'stream')
  let rows = 0
  let readMs = 0
  let failure: { readonly error: unknown } | undefined
  try {
    for (;;) {
      const start = context.clock.monotonicMs()
      let step: IteratorResult<StatementResult, void>
      try {
        step = await chunks.next()
      } catch (error) {
        if (error !== leftEarly) failure = { error }
        throw error
      } finally {
        readMs += context.clock.monotonicMs() - start
      }
      if (step.done === true) return
      rows += step.value.rowCount
      yield step.value
    }
  } finally {
    if (failure === undefined) telemetry.succeeded(sql, 'stream', readMs, rows, span)
    else telemetry.failed(sql, 'stream', readMs, failure.error, span)
    await chunks.return()
  }
}
