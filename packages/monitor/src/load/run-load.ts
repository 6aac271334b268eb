import { type Clock, systemClock } from '@shardwright/core'
import { z } from 'zod'
import { parseOptions } from '../errors/parse-options.ts'
import type { LoadReport } from './load-report.ts'
import { LoadRun } from './load-run.ts'
import { checkStages, type LoadStage } from './load-stage.ts'
import { parseWorkload, type Workload } from './workload.ts'

export interface RunLoadOptions<Context> {
  readonly workload: Workload<Context>
  readonly stages: readonly LoadStage[]
  /** Handed to every call. */
  readonly context: Context
  /** Calls under way at once; those that are due beyond wait, and their waiting counts as latency. Default: 500. */
  readonly maxInFlight?: number | undefined
  /** When so many wait, the system does not keep up, and the run stops. Default: 20000. */
  readonly maxWaiting?: number | undefined
  /** At random, as independent callers come, instead of evenly. Default: true. */
  readonly poisson?: boolean | undefined
  /** Default: 1. */
  readonly seed?: number | undefined
  /** The run stops when more than this share of the last calls failed; 1 never stops. Default: 0.5. */
  readonly stopErrorsRatio?: number | undefined
  /** How long calls may go on after the last was due, milliseconds. Default: 10000. */
  readonly drainMs?: number | undefined
  readonly signal?: AbortSignal | undefined
  readonly clock?: Clock | undefined
}

const shape = z.strictObject({
  maxInFlight: z.int().positive().default(500),
  maxWaiting: z.int().positive().default(20_000),
  poisson: z.boolean().default(true),
  seed: z.int().default(1),
  stopErrorsRatio: z.number().positive().max(1).default(0.5),
  drainMs: z.number().nonnegative().default(10_000),
  signal: z.instanceof(AbortSignal).optional(),
  clock: z.custom<Clock>().default(systemClock),
})

/** @internal */
export type LoadSettings = Readonly<z.output<typeof shape>>

/**
 * Runs a workload at the given rates: an open model, in which calls are due whether or not earlier ones were answered, and
 * latencies count from the moment a call was due (no coordinated omission). It ends by itself: at the end of the stages,
 * when most calls fail, when the system does not keep up, or by the signal.
 * @throws MonitorError MONITOR_INVALID_OPTIONS; what `setup` or `cleanup` throw
 * @example
 * const report = await runLoad({ workload, stages: loadProfile('load', { rate: 200 }), context: { router } })
 * report.latency.p99
 */
export async function runLoad<Context>(options: RunLoadOptions<Context>): Promise<LoadReport> {
  const { workload: given, stages: givenStages, context, ...rest } = options
  const settings = parseOptions('The load', shape, rest)
  const workload = parseWorkload<Context>(given)
  const stages = checkStages(givenStages)
  try {
    await workload.setup?.(context)
    return await new LoadRun(workload, stages, context, settings).run()
  } finally {
    await workload.cleanup?.(context)
  }
}
