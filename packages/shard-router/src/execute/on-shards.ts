import { ConnectionError } from '@shardwright/core'
import { MergeError } from '../errors/merge-error.ts'
import type { Statement, StatementResult } from '../pool/shard-pool.ts'
import { type ExecutionContext, runOn } from './context.ts'

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
    while (next < shards.length) {
      const index = next++
      const shard = shards[index] as number
      answers[index] = await answerOf(own, shard, statementOf(shard))
    }
  }
  const workers = Math.max(1, Math.min(context.concurrency, shards.length))
  try {
    await Promise.all(Array.from({ length: workers }, worker))
  } catch (error) {
    abort.abort(error)
    throw error
  }
  const found = answers.filter((answer) => answer !== undefined)
  if (found.length === 0) throw noneAnswered(context)
  return found
}

async function answerOf(
  context: ExecutionContext,
  shard: number,
  statement: Statement,
): Promise<ShardAnswer | undefined> {
  if (!context.missing) return { shard, result: await runOn(context, shard, statement, 'part') }
  try {
    return { shard, result: await runOn(context, shard, statement, 'part') }
  } catch (error) {
    if (!isUnreachable(error)) throw error
    context.missing.push({ shard: context.state.topology.shards[shard]?.id ?? String(shard), error })
    return undefined
  }
}

/** Failures of the server, not of the statement. */
function isUnreachable(error: unknown): boolean {
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
