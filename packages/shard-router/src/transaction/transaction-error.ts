import { ShardwrightError } from '@shardwright/core'
import { type TransactionErrorCode, transactionErrorCodes } from './transaction-error-codes.ts'

const retryableCodes: ReadonlySet<string> = new Set<TransactionErrorCode>([
  'PREPARED_TRANSACTIONS_EXHAUSTED',
  'ABORTED_BY_RECOVERY',
  'DEADLOCK_ACROSS_SHARDS',
  'LOCK_TIMEOUT_ACROSS_SHARDS',
])

/**
 * A transaction across shards that could not go on, or not be finished.
 * @example
 * if (error instanceof TransactionError && error.retryable) await again()
 */
export class TransactionError extends ShardwrightError {
  /** True when nothing was written and the same work may succeed the next time. */
  get retryable(): boolean {
    return retryableCodes.has(this.code)
  }
}

interface TransactionErrorContext {
  readonly hint?: string | undefined
  readonly details?: Readonly<Record<string, unknown>>
  readonly cause?: unknown
}

/** A TransactionError with the catalogue's remedy as its hint. */
export function transactionError(
  code: TransactionErrorCode,
  message: string,
  context: TransactionErrorContext = {},
): TransactionError {
  return new TransactionError({
    code,
    message,
    hint: context.hint ?? transactionErrorCodes[code].remedy,
    details: context.details,
    cause: context.cause,
  })
}

export function transactionEnded(): TransactionError {
  return transactionError('TRANSACTION_ENDED', 'The transaction is over.')
}
