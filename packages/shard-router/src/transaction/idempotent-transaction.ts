import { type Clock, ShardwrightError, type Telemetry } from '@shardwright/core'
import { ExponentialBackoff } from 'cockatiel'
import type { AccessMode, IsolationLevel, Transaction, TransactionBuilder } from 'kysely'
import { inCallContext } from '../pool/call-context.ts'
import type { RetrySettings } from '../pool/retry-settings.ts'
import { isRolledBack, isUnreachable, readOnlyServer } from '../pool/safe-again.ts'
import type { RunOptions } from '../pool/shard-pool.ts'
import { sqlStateOf } from '../pool/sql-state.ts'
import { TransactionError } from './transaction-error.ts'

export interface IdempotentSettings {
  readonly retry: RetrySettings
  readonly clock: Clock
  readonly telemetry: Telemetry
}

/**
 * A transaction given as a function that may run more than once: it is run again, after a pause with jitter, when the
 * server rolled it back for another's sake (40001, 40P01), ended the session (57P01 and its like), or was lost before
 * COMMIT was sent. When the answer to COMMIT was lost, nobody knows whether it is done: then the error is the caller's.
 * @example
 * await router.transaction({ idempotent: true }).execute(async (trx) => { ... })
 */
export class IdempotentTransaction<Database> {
  readonly #builder: TransactionBuilder<Database>
  readonly #settings: IdempotentSettings

  constructor(builder: TransactionBuilder<Database>, settings: IdempotentSettings) {
    this.#builder = builder
    this.#settings = settings
  }

  setIsolationLevel(level: IsolationLevel): IdempotentTransaction<Database> {
    return new IdempotentTransaction(this.#builder.setIsolationLevel(level), this.#settings)
  }

  setAccessMode(mode: AccessMode): IdempotentTransaction<Database> {
    return new IdempotentTransaction(this.#builder.setAccessMode(mode), this.#settings)
  }

  /**
   * Runs `work` in a transaction, as often as needed and allowed (`pool.retry`), and gives the result of the run that was
   * committed. A deadline of the context ends the tries too.
   */
  async execute<T>(work: (trx: Transaction<Database>) => Promise<T>): Promise<T> {
    const { retry, clock, telemetry } = this.#settings
    let backoff = new ExponentialBackoff({ initialDelay: retry.initialDelayMs, maxDelay: retry.maxDelayMs }).next()
    for (let attempt = 0; ; attempt++) {
      const outcome = await this.#attempt(work)
      if ('result' in outcome) return outcome.result
      const { error, again } = outcome
      if (!again || attempt >= retry.maxRetries) throw error
      const deadline = inCallContext<RunOptions>(undefined)?.deadline ?? Number.POSITIVE_INFINITY
      if (clock.monotonicMs() + backoff.duration >= deadline) throw error
      telemetry.count('shardwright.router.transaction_retries', 1, { code: codeOf(error) })
      await clock.sleep(backoff.duration)
      backoff = backoff.next(undefined)
    }
  }

  async #attempt<T>(
    work: (trx: Transaction<Database>) => Promise<T>,
  ): Promise<{ readonly result: T } | { readonly error: unknown; readonly again: boolean }> {
    let failure: { readonly error: unknown } | undefined
    let committing = false
    try {
      const result = await this.#builder.execute(async (trx) => {
        try {
          const value = await work(trx)
          committing = true
          return value
        } catch (error) {
          failure = { error }
          throw error
        }
      })
      return { result }
    } catch (last) {
      // A ROLLBACK on a lost connection fails too; why it was lost is what counts.
      const error = failure === undefined ? last : failure.error
      return { error, again: committing ? isCertainlyUndone(error) : isTransient(error) }
    }
  }
}

const failsElsewhere = new Set(['CIRCUIT_OPEN', 'NO_PRIMARY'])

/** COMMIT was not sent: the server rolls back whatever there was. Only the reason must be one that passes. */
function isTransient(error: unknown): boolean {
  // Layers above the database like to wrap its errors.
  for (let cause = error, depth = 0; cause instanceof Error && depth < 8; cause = cause.cause, depth++) {
    if (isCertainlyUndone(cause) || isUnreachable(cause) || sqlStateOf(cause) === readOnlyServer) return true
    if (cause instanceof ShardwrightError && failsElsewhere.has(cause.code)) return true
  }
  return false
}

function isCertainlyUndone(error: unknown): boolean {
  if (isRolledBack(error)) return true
  if (error instanceof TransactionError) return error.retryable
  return error instanceof ShardwrightError && isUnreachable(error) && error.details.sent === false
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : 'unknown'
}
