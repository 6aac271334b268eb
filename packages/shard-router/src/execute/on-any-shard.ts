import type { Statement } from '../pool/shard-pool.ts'
import { type ExecutionContext, type MeasuredStatement, runOn } from './context.ts'
import { answerOf, isUnreachable, type ShardAnswer } from './on-shards.ts'

/**
 * Shards that may do what each of them does alike, those first that can be reached as far as is known; the one of the
 * transaction, which has it in its snapshot, alone.
 */
export function anyOf(
  { transaction, state }: Pick<ExecutionContext, 'transaction' | 'state'>,
  among?: readonly number[],
): readonly number[] {
  const candidates = among ?? state.topology.shards.map((_, index) => index)
  if (transaction) return [transaction.shards[0] ?? candidates[0] ?? 0]
  const { pool } = state
  return candidates.every((shard) => pool.isReachable(shard))
    ? candidates
    : candidates.toSorted((a, b) => Number(pool.isReachable(b)) - Number(pool.isReachable(a)))
}

/**
 * Runs what each shard answers alike on the first that can be reached: one that is gone costs the others nothing. Where
 * missing shards are reported, one that does not answer in time is among them.
 */
export async function onAnyShard(
  context: ExecutionContext,
  among: readonly number[] | undefined,
  statement: Statement,
  role?: MeasuredStatement['role'],
): Promise<ShardAnswer> {
  const [first = 0, ...others] = anyOf(context, among)
  if (others.length === 0) return { shard: first, result: await runOn(context, first, statement, role) }
  try {
    const answer = await answerOf(context, first, statement, role)
    if (answer !== undefined) return answer
  } catch (error) {
    const code = (error as { code?: unknown } | null)?.code
    if (!isUnreachable(error) || code === 'DEADLINE_EXCEEDED') throw error
  }
  return await onAnyShard(context, others, statement, role)
}
