import { type Clock, systemClock } from '@shardwright/core'
import { z } from 'zod'
import { TransactionError } from './transaction-error.ts'
import { transactionErrorCodes } from './transaction-error-codes.ts'

/** The instants of the commit protocol, in their order; the fault suite ends processes and servers at each of them. */
export const protocolSteps = Object.freeze([
  'before prepare',
  'after prepare',
  'before decision',
  'after decision',
  'before commit prepared',
  'after commit prepared',
] as const)

/** A step of the two-phase commit, as fault tests name it. */
export type ProtocolStep = (typeof protocolSteps)[number]

/** Where the protocol is: at `step`, on the participant number `index` (0 is the first that is prepared). */
export interface ProtocolPoint {
  readonly step: ProtocolStep
  readonly shard: string
  readonly index: number
  readonly txid: string
}

/** How transactions over several shards wait, and for how long. */
export interface AtomicOptions {
  /**
   * How long a statement of a transaction across shards may wait for a lock, milliseconds; the server ends it then with a
   * retryable error. `null` leaves the server's own lock_timeout. Default: 10000.
   */
  readonly lockTimeoutMs?: number | null | undefined
  /** How long `commit` tries to reach a participant after the decision, before it says "not yet settled". Default: 5000. */
  readonly settleTimeoutMs?: number | undefined
  /** How long `commit` tries to learn a decision whose answer was lost, before it says "in doubt". Default: 10000. */
  readonly decisionTimeoutMs?: number | undefined
  /** A wait for a lock that lasts longer is looked at for a deadlock across shards, milliseconds. Default: 1000. */
  readonly deadlockAfterMs?: number | undefined
  readonly clock?: Clock | undefined
  /** Runs at every step of the protocol and is waited for: for fault tests. */
  readonly onStep?: ((point: ProtocolPoint) => void | Promise<void>) | undefined
}

export interface AtomicSettings {
  readonly lockTimeoutMs: number | null
  readonly settleTimeoutMs: number
  readonly decisionTimeoutMs: number
  readonly deadlockAfterMs: number
  readonly clock: Clock
  readonly onStep: ((point: ProtocolPoint) => void | Promise<void>) | undefined
}

const optionsShape = z.strictObject({
  lockTimeoutMs: z.number().int().positive().nullable().default(10_000),
  settleTimeoutMs: z.number().int().positive().default(5_000),
  decisionTimeoutMs: z.number().int().positive().default(10_000),
  deadlockAfterMs: z.number().int().positive().default(1_000),
  clock: z.custom<Clock>((value) => typeof (value as Clock | null)?.sleep === 'function').default(systemClock),
  onStep: z.custom<NonNullable<AtomicOptions['onStep']>>((value) => typeof value === 'function').optional(),
})

/** @throws TransactionError INVALID_TRANSACTION_OPTIONS */
export function resolveAtomicOptions(options: AtomicOptions = {}): AtomicSettings {
  const parsed = optionsShape.safeParse(options)
  if (parsed.success) return Object.freeze({ ...parsed.data, onStep: parsed.data.onStep })
  throw new TransactionError({
    code: 'INVALID_TRANSACTION_OPTIONS',
    message: `The options of atomic transactions are not usable: ${z.prettifyError(parsed.error)}`,
    hint: transactionErrorCodes.INVALID_TRANSACTION_OPTIONS.remedy,
  })
}
