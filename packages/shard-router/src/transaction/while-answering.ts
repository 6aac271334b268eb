import { poolError } from '../pool/pool-error.ts'
import { sqlStateOf } from '../pool/sql-state.ts'
import { type AtomicContext, shardIdOf, withDirectClient } from './atomic-context.ts'
import type { Participant } from './participant.ts'

/**
 * Waits for work on some shards for as long as it takes, and their servers answer. One that is frozen or cut off, whose
 * connections stay open, loses its session.
 * @throws ConnectionError SHARD_UNREACHABLE
 */
export async function whileAnswering<T>(
  context: AtomicContext,
  participants: readonly Participant[],
  work: Promise<T>,
): Promise<T> {
  for (;;) {
    const result = await within(context.settings.settleTimeoutMs, work)
    if (result !== tooLate) return result
    await Promise.all(participants.map((participant) => expectAnswer(context, participant)))
  }
}

export const tooLate = Symbol('too late')

/** `tooLate` when the work takes longer; it goes on, and its failure is nobody's then. */
export async function within<T>(timeoutMs: number, work: Promise<T>): Promise<T | typeof tooLate> {
  const { promise, resolve } = Promise.withResolvers<typeof tooLate>()
  const timer = setTimeout(resolve, timeoutMs, tooLate)
  try {
    return await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
    work.catch(ignore)
  }
}

async function expectAnswer(context: AtomicContext, participant: Participant): Promise<void> {
  const { shard } = participant
  const signal = AbortSignal.timeout(context.settings.settleTimeoutMs)
  try {
    await withDirectClient(context, shard, (client) => client.query('select 1'), signal)
  } catch (cause) {
    // A server that refuses does answer.
    if (sqlStateOf(cause) !== undefined) return
    participant.destroy(cause)
    const id = shardIdOf(context, shard)
    throw poolError('SHARD_UNREACHABLE', `Shard '${id}' does not answer while its transaction ends.`, {
      shard: id,
      cause,
    })
  }
}

function ignore(): void {}
