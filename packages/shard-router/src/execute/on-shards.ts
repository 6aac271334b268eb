import { ConnectionError } from '@shardwright/core'
import { MergeError } from '../errors/merge-error.ts'
import type { Statement, StatementResult } from '../pool/shard-pool.ts'
import { stopping } from '../pool/stop-request.ts'
import { type ExecutionContext, type MeasuredStatement, runOn } from './context.ts'
import { partDeadline, untilPartDeadline } from './part-deadline.ts'

export interface ShardAnswer {
  readonly shard: number
  readonly result: StatementResult
}

/**
 * Runs one statement on each shard, at most `concurrency` at a time. The first failure abandons the rest, unless the
 * caller asked for partial results; then an unreachable shard is noted as missing.
 * @throws MergeError SHARDS_MISSING when no shard answered
 */
export async function onShards(
  context: ExecutionContext,
  shards: readonly number[],
  statementOf: (shard: number) => Statement,
): Promise<readonly ShardAnswer[]> {
  const abort = new AbortController()
  const signal = context.run.signal ? AbortSignal.any([context.run.signal, abort.signal]) : abort.signal
  const own: ExecutionContext = shards.length > 1 ? { ...context, run: { ...context.run, signal } } : context
  const answers: (ShardAnswer | undefined)[] = shards.map(() => undefined)
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < shards.length && !abort.signal.aborted) {
      const index = next++
      const shard = shards[index] as number
      answers[index] = await answerOf(own, shard, statementOf(shard), 'part')
    }
  }
  const workers = Math.max(1, Math.min(context.concurrency, shards.length))
  try {
    await Promise.all(Array.from({ length: workers }, worker))
  } catch (error) {
    // What is on a session of its own is cancelled there: nobody waits for it any more.
    abort.abort(stopping(error, 'cancel query'))
    throw error
  }
  const found = answers.filter((answer) => answer !== undefined)
  if (found.length === 0) throw noneAnswered(context)
  return found
}

/** Undefined when the shard is missing, where that is reported. */
export async function answerOf(
  context: ExecutionContext,
  shard: number,
  statement: Statement,
  role?: MeasuredStatement['role'],
): Promise<ShardAnswer | undefined> {
  const { missing } = context
  if (!missing) return { shard, result: await runOn(context, shard, statement, role) }
  const name = context.state.topology.shards[shard]?.id ?? String(shard)
  // Missing once, it is missing in all parts of the statement.
  const isMissing = () => missing.some((one) => one.shard === name)
  if (isMissing()) return undefined
  const deadline = partDeadline(context)
  const inTime = deadline === undefined ? context : { ...context, run: { ...context.run, deadline } }
  try {
    const running = runOn(inTime, shard, statement, role)
    return { shard, result: await untilPartDeadline(running, deadline, shard, context) }
  } catch (error) {
    if (!isUnreachable(error)) throw error
    if (!isMissing()) missing.push({ shard: name, error })
    return undefined
  }
}

/** Failures of the server, not of the statement. */
export function isUnreachable(error: unknown): boolean {
  if (error instanceof ConnectionError) return true
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' && (/^(08|57P)/.test(code) || /^E[A-Z]+$/.test(code))
}

function noneAnswered(context: ExecutionContext): MergeError {
  return new MergeError({
    code: 'SHARDS_MISSING',
    message: 'No shard answered.',
    hint: 'Check the servers; the cause has the failures.',
    details: { shards: context.missing?.map((missing) => missing.shard) ?? [] },
    cause: new AggregateError(context.missing?.map((missing) => missing.error) ?? [], 'no shard answered'),
  })
}
