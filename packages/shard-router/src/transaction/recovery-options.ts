import { type Clock, noTelemetry, systemClock, type Telemetry } from '@shardwright/core'
import { z } from 'zod'
import { transactionError } from './transaction-error.ts'

/** How `recoverTransactions` treats what it finds. */
export interface RecoveryOptions {
  /**
   * Prepared transactions younger than this are left to their own process, milliseconds. Out of politeness only: recovery
   * of a transaction that still runs is safe, and aborts it. Default: 10000.
   */
  readonly graceMs?: number | undefined
  /** How long to wait for a decider that is deciding just now, milliseconds. Default: 10000. */
  readonly lockTimeoutMs?: number | undefined
  /** What is prepared for longer is warned of, milliseconds. Default: 60000. */
  readonly warnAfterMs?: number | undefined
  readonly telemetry?: Telemetry | undefined
  readonly clock?: Clock | undefined
  readonly signal?: AbortSignal | undefined
}

export interface RecoverySettings {
  readonly graceMs: number
  readonly lockTimeoutMs: number
  readonly warnAfterMs: number
  readonly telemetry: Telemetry
  readonly clock: Clock
  readonly signal: AbortSignal | undefined
}

const optionsShape = z.strictObject({
  graceMs: z.number().int().nonnegative().default(10_000),
  lockTimeoutMs: z.number().int().positive().default(10_000),
  warnAfterMs: z.number().int().positive().default(60_000),
  telemetry: z
    .custom<Telemetry>((value) => typeof (value as Telemetry | null)?.log === 'function')
    .default(noTelemetry),
  clock: z.custom<Clock>((value) => typeof (value as Clock | null)?.sleep === 'function').default(systemClock),
  signal: z.instanceof(AbortSignal).optional(),
})

/** @throws TransactionError INVALID_TRANSACTION_OPTIONS */
export function resolveRecoveryOptions(options: RecoveryOptions): RecoverySettings {
  const parsed = optionsShape.safeParse(options)
  if (parsed.success) return Object.freeze({ ...parsed.data, signal: parsed.data.signal })
  const message = `The options of recovery are not usable: ${z.prettifyError(parsed.error)}`
  throw transactionError('INVALID_TRANSACTION_OPTIONS', message)
}
