import { z } from 'zod'
import { parseOptions } from '../errors/parse-options.ts'

/** What every call is given, beside the caller's own context. */
export interface LoadCall {
  /** Counts the calls of the run, from 0. */
  readonly turn: number
  /** From 0 up to 1; the same for the same seed and turn. */
  random(): number
  readonly signal: AbortSignal
}

/** One kind of call. */
export interface LoadOperation<Context> {
  readonly name: string
  /** How often, compared with the others. Default: 1. */
  readonly weight?: number | undefined
  run(context: Context, call: LoadCall): Promise<unknown>
}

/** What has to hold for the run to be good; percentiles in milliseconds. */
export interface LoadLimits {
  readonly p50Ms?: number | undefined
  readonly p95Ms?: number | undefined
  readonly p99Ms?: number | undefined
  /** Default: 0.01. */
  readonly errorsRatio?: number | undefined
}

export interface Workload<Context> {
  readonly operations: readonly LoadOperation<Context>[]
  /** Before the run; not measured. */
  readonly setup?: ((context: Context) => Promise<void>) | undefined
  /** After the run, whatever became of it. */
  readonly cleanup?: ((context: Context) => Promise<void>) | undefined
  readonly limits?: LoadLimits | undefined
}

type Function_ = (...values: never[]) => unknown
const callable = z.custom<Function_>((value) => typeof value === 'function', 'is no function')
const limit = z.number().positive().optional()
const shape = z.strictObject({
  operations: z
    .array(z.strictObject({ name: z.string().min(1), weight: z.number().positive().default(1), run: callable }))
    .min(1)
    .refine((operations) => new Set(operations.map(({ name }) => name)).size === operations.length, {
      message: 'two operations have the same name',
    }),
  setup: callable.optional(),
  cleanup: callable.optional(),
  limits: z
    .strictObject({ p50Ms: limit, p95Ms: limit, p99Ms: limit, errorsRatio: z.number().min(0).max(1).default(0.01) })
    .prefault({}),
})

/** A workload whose defaults are filled in. */
export interface ResolvedWorkload<Context> extends Workload<Context> {
  readonly operations: readonly (LoadOperation<Context> & { readonly weight: number })[]
  readonly limits: LoadLimits & { readonly errorsRatio: number }
}

/**
 * A workload from a file or a program, checked.
 * @throws MonitorError MONITOR_INVALID_OPTIONS
 */
export function parseWorkload<Context>(workload: unknown): ResolvedWorkload<Context> {
  return parseOptions('The workload', shape, workload) as unknown as ResolvedWorkload<Context>
}

/**
 * Types a workload; returns it as it is.
 * @example
 * export default defineWorkload<{ router: ShardRouter<typeof schema> }>({
 *   operations: [{ name: 'tasks', run: ({ router }, { random }) => router.db.selectFrom('tasks').selectAll()
 *     .where('user_id', '=', Math.floor(random() * 1000)).execute() }],
 * })
 */
export function defineWorkload<Context>(workload: Workload<Context>): Workload<Context> {
  return workload
}
