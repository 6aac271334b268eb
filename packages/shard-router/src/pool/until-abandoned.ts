import { deadlineError } from './deadline.ts'
import type { ServerContext } from './server-context.ts'
import type { RunOptions } from './shard-pool.ts'

/**
 * The answer, or the abort or the deadline, whichever is first. What runs is left alone: on a pipelined client a cancel
 * would hit a neighbour.
 */
export function untilAbandoned<T>(context: ServerContext, running: Promise<T>, options: RunOptions): Promise<T> {
  const { signal, deadline } = options
  return new Promise((resolve, reject) => {
    const abandon = () => {
      over()
      reject(signal?.reason)
    }
    const expire = () => {
      over()
      reject(deadlineError(context.address.label, context.shard))
    }
    const timer =
      deadline === undefined ? undefined : setTimeout(expire, Math.max(0, deadline - context.clock.monotonicMs()))
    const over = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abandon)
    }
    running.then(
      (result) => {
        over()
        resolve(result)
      },
      (error: unknown) => {
        over()
        reject(error)
      },
    )
    if (signal?.aborted === true) abandon()
    else signal?.addEventListener('abort', abandon, { once: true })
  })
}
