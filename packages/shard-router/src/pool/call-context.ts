import { AsyncLocalStorage } from 'node:async_hooks'
import { type Clock, systemClock } from '@shardwright/core'
import { longestTimerMs } from './longest-timer.ts'
import { poolOptionsError } from './pool-error.ts'
import { checkReads } from './read-preference.ts'
import type { ReadPreference, RunOptions } from './shard-pool.ts'

/** What holds for all statements of an asynchronous context unless a call says otherwise. */
interface CallContext {
  readonly deadline?: number
  readonly reads?: ReadPreference
}

const storage = new AsyncLocalStorage<CallContext>()

/**
 * Runs `work` so that all its statements, the parts of a fan-out among them, share one deadline. A deadline around it that
 * is earlier stays in force.
 * A time too long for a timer, 25 days or more, is no deadline.
 * @throws ConnectionError DEADLINE_EXCEEDED from the statement that is too late; ConfigurationError INVALID_POOL_OPTIONS
 * @example
 * app.use((request, response, next) => runWithDeadline(2_000, next))
 */
export function runWithDeadline<T>(deadlineMs: number, work: () => T, clock: Clock = systemClock): T {
  if (typeof deadlineMs !== 'number' || Number.isNaN(deadlineMs)) {
    throw poolOptionsError(`A deadline is a number of milliseconds, not ${String(deadlineMs)}.`)
  }
  const outer = storage.getStore()
  if (deadlineMs > longestTimerMs) return work()
  const deadline = Math.min(outer?.deadline ?? Number.POSITIVE_INFINITY, clock.monotonicMs() + deadlineMs)
  return storage.run({ ...outer, deadline }, work)
}

/**
 * Runs `work` so that its reads go where `reads` says, unless a call says otherwise.
 * @throws ConfigurationError INVALID_POOL_OPTIONS
 * @example
 * await runWithReads({ maxLagMs: 500 }, () => report())
 */
export function runWithReads<T>(reads: ReadPreference, work: () => T): T {
  return storage.run({ ...storage.getStore(), reads: checkReads(reads) }, work)
}

/** The options of a call, completed by its context. */
export function inCallContext<T extends RunOptions>(options: T | undefined): T | undefined {
  const context = storage.getStore()
  if (context === undefined) return options
  const deadline = earlier(options?.deadline, context.deadline)
  const reads = options?.reads ?? context.reads
  return {
    ...options,
    ...(deadline === undefined ? {} : { deadline }),
    ...(reads === undefined ? {} : { reads }),
  } as T
}

function earlier(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return Math.min(a, b)
}
