import { z } from 'zod'
import { type ResolvedRunOptions, type RunOptions, resolveRunOptions } from '../apply/run-options.ts'
import { PartitionError } from '../errors/partition-error.ts'

export interface ConvertOptions extends RunOptions {
  /** Rows copied in one transaction, default 5000. */
  readonly batchRows?: number
  /** A pause after each batch, milliseconds, default 0: to leave the server room. */
  readonly pauseMs?: number
  /** The swap begins when at most so many changes wait to be copied, default 500: they are copied under its lock. */
  readonly swapRows?: number
  /** Drops the old table at the end; default false: it stays as `<table>_sw_old`. */
  readonly dropOld?: boolean
}

export interface ResolvedConvertOptions extends ResolvedRunOptions {
  readonly batchRows: number
  readonly pauseMs: number
  readonly swapRows: number
  readonly dropOld: boolean
}

const ownOptions = z.object({
  batchRows: z.int().min(1).max(1_000_000).default(5000),
  pauseMs: z.int().min(0).default(0),
  swapRows: z.int().min(0).default(500),
  dropOld: z.boolean().default(false),
})

export function resolveConvertOptions(options: ConvertOptions): ResolvedConvertOptions {
  const parsed = ownOptions.safeParse(options)
  if (!parsed.success) {
    throw new PartitionError({ code: 'PARTITION_POLICY_INVALID', message: z.prettifyError(parsed.error) })
  }
  return Object.freeze({ ...resolveRunOptions(options), ...parsed.data })
}
