import { inCallContext } from '../pool/call-context.ts'
import { deadlineError } from '../pool/deadline.ts'
import type { ExecutionContext } from './context.ts'

// What is left for merging when shards are waited for in vain.
const share = 0.2
const mostMs = 1_000

/** When a result that may lack shards stops waiting for them; undefined without a deadline. */
export function partDeadline({ run, state }: ExecutionContext): number | undefined {
  const deadline = inCallContext(run)?.deadline
  if (deadline === undefined) return undefined
  const leftMs = Math.max(0, deadline - state.clock.monotonicMs())
  return deadline - Math.min(mostMs, leftMs * share)
}

/** The answer, if it comes in time: a session of a server that hangs takes a moment longer to give up. */
export async function untilPartDeadline<T>(
  running: Promise<T>,
  deadline: number | undefined,
  shard: number,
  { state: { clock, topology } }: ExecutionContext,
): Promise<T> {
  if (deadline === undefined) return await running
  const late = Promise.withResolvers<never>()
  const name = topology.shards[shard]?.id ?? String(shard)
  const expire = () => late.reject(deadlineError(name, name))
  const timer = setTimeout(expire, Math.max(0, deadline - clock.monotonicMs()))
  try {
    return await Promise.race([running, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
