import { type Clock, noTelemetry, systemClock, type Telemetry } from '@shardwright/core'
import { z } from 'zod'
import { PartitionError } from '../errors/partition-error.ts'

/** How a run behaves towards the server and its caller. */
export interface RunOptions {
  /** How long one attempt may wait for a lock, and so make others wait behind it; milliseconds, default 200. */
  readonly lockTimeoutMs?: number
  /** Attempts per action, with growing pauses between them; default 15. */
  readonly lockAttempts?: number
  /** The first pause between attempts, milliseconds, default 100; it doubles up to 5 s. */
  readonly backoffMs?: number
  /** How long to wait for another maintenance run of the same table; milliseconds, default 10000. */
  readonly parentLockWaitMs?: number
  /**
   * How long CREATE INDEX CONCURRENTLY may wait for older transactions, milliseconds, default 60000. Nobody queues behind
   * it, but one forgotten transaction must not stop all maintenance.
   */
  readonly buildWaitMs?: number
  /**
   * The rest between two changes of a shard while other sessions are at work in the database, milliseconds, default 2000:
   * each change makes every session plan its statements anew. 0 never rests.
   */
  readonly restMs?: number
  readonly clock?: Clock
  readonly telemetry?: Telemetry
  /** Stops between two steps; what is half done goes on with the next run. */
  readonly signal?: AbortSignal
  /** Called before each step; what it throws stops the run at that point. */
  readonly onProgress?: (event: ProgressEvent) => void
}

/** A step that is about to be made. */
export interface ProgressEvent {
  readonly shard: string
  readonly table: string
  /** `detach`, `archive-write`, `copy-batch`, ... */
  readonly step: string
  readonly partition?: string
  /** Rows done so far, where rows are moved. */
  readonly rows?: bigint
}

export interface ResolvedRunOptions {
  readonly lockTimeoutMs: number
  readonly lockAttempts: number
  readonly backoffMs: number
  readonly parentLockWaitMs: number
  readonly buildWaitMs: number
  readonly restMs: number
  readonly clock: Clock
  readonly telemetry: Telemetry
  readonly signal: AbortSignal
  readonly onProgress: (event: ProgressEvent) => void
}

const numbers = z.object({
  lockTimeoutMs: z.int().min(1).default(200),
  lockAttempts: z.int().min(1).default(15),
  backoffMs: z.int().min(1).default(100),
  parentLockWaitMs: z.int().min(0).default(10_000),
  buildWaitMs: z.int().min(1).default(60_000),
  restMs: z.int().min(0).default(2000),
})

export function resolveRunOptions(options: RunOptions): ResolvedRunOptions {
  const parsed = numbers.safeParse(options)
  if (!parsed.success) {
    throw new PartitionError({
      code: 'PARTITION_POLICY_INVALID',
      message: `The options of the run are not valid: ${z.prettifyError(parsed.error)}`,
    })
  }
  return Object.freeze({
    ...parsed.data,
    clock: options.clock ?? systemClock,
    telemetry: options.telemetry ?? noTelemetry,
    signal: options.signal ?? new AbortController().signal,
    onProgress: options.onProgress ?? (() => {}),
  })
}
