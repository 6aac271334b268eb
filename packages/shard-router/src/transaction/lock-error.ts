import { sqlStateOf } from '../pool/sql-state.ts'
import { transactionError } from './transaction-error.ts'

/** A lock that was waited for too long in a transaction across shards; what NOWAIT gives stays what it is. */
export function lockError(error: unknown, shard: string, givenUp: boolean): unknown {
  if (givenUp && sqlStateOf(error) === '57014') {
    return transactionError(
      'DEADLOCK_ACROSS_SHARDS',
      `A statement on shard '${shard}' waited in a circle of transactions on several shards, and gave way.`,
      { details: { shard }, cause: error },
    )
  }
  if (sqlStateOf(error) !== '55P03') return error
  // The same SQLSTATE; only the timeout comes from the place where the server looks for interrupts.
  if ((error as { routine?: unknown }).routine !== 'ProcessInterrupts') return error
  return transactionError('LOCK_TIMEOUT_ACROSS_SHARDS', `A statement on shard '${shard}' waited too long for a lock.`, {
    details: { shard },
    cause: error,
  })
}
