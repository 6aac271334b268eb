import type { Batch } from './batch.ts'
import { runOnSession } from './run-on-session.ts'
import type { ServerContext } from './server-context.ts'
import type { Session } from './session.ts'
import type { RunOptions, Statement, StatementResult } from './shard-pool.ts'
import type { LaneName, StatementTelemetry } from './statement-telemetry.ts'

/** Runs a statement on a session and measures it when somebody listens. */
export function runMeasured(
  context: ServerContext,
  session: Session,
  statement: Statement,
  options: RunOptions | undefined,
  lane: LaneName,
  telemetry: StatementTelemetry | undefined,
  batch?: Batch,
): Promise<StatementResult> {
  const running = runOnSession(context, session, statement, options, batch)
  return telemetry === undefined ? running : measured(context, statement, running, lane, telemetry)
}

async function measured(
  context: ServerContext,
  statement: Statement,
  running: Promise<StatementResult>,
  lane: LaneName,
  telemetry: StatementTelemetry,
): Promise<StatementResult> {
  const { sql } = statement
  const span = telemetry.start(statement, lane)
  const start = context.clock.monotonicMs()
  try {
    const result = await running
    telemetry.succeeded(sql, lane, context.clock.monotonicMs() - start, result.rowCount, span)
    return result
  } catch (error) {
    telemetry.failed(sql, lane, context.clock.monotonicMs() - start, error, span)
    throw error
  }
}
