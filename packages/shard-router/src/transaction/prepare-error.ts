import { sqlStateOf } from '../pool/sql-state.ts'
import type { Participant } from './participant.ts'
import { transactionError } from './transaction-error.ts'

/** Refuses before anything is prepared what PREPARE would refuse, as a NOTIFY seen in a statement. */
export function refuseNotify(writers: readonly Participant[], nameOf: (shard: number) => string): void {
  const notifier = writers.find((writer) => writer.notified)
  if (notifier) throw notifyError(nameOf(notifier.shard))
}

/** PostgreSQL's refusals of PREPARE TRANSACTION, told by their cause. */
export function prepareError(error: unknown, shard: string): unknown {
  const state = sqlStateOf(error)
  // Messages are translated; the names of commands and settings in them are not.
  const text = textOf(error)
  if (state === '0A000') {
    if (text.includes('NOTIFY')) return notifyError(shard, error)
    return transactionError('PREPARE_REFUSED', `Shard '${shard}' cannot prepare the transaction: ${text}`, {
      details: { shard },
      cause: error,
    })
  }
  if (state === '55000' && text.includes('max_prepared_transactions')) {
    return transactionError(
      'ATOMIC_COMMIT_UNAVAILABLE',
      `The transaction wrote on several shards, and max_prepared_transactions is 0 on shard '${shard}'.`,
      { details: { shard }, cause: error },
    )
  }
  if (state === '53200' && text.includes('max_prepared_transactions')) {
    return transactionError(
      'PREPARED_TRANSACTIONS_EXHAUSTED',
      `Shard '${shard}' holds as many prepared transactions as it may.`,
      { details: { shard }, cause: error },
    )
  }
  return error
}

function notifyError(shard: string, cause?: unknown): unknown {
  return transactionError(
    'NOTIFY_IN_ATOMIC_TRANSACTION',
    `The transaction wrote on several shards and used LISTEN, UNLISTEN or NOTIFY on shard '${shard}'.`,
    { details: { shard }, cause },
  )
}

function textOf(error: unknown): string {
  const { message, hint } = error as { message?: string; hint?: string }
  return [message, hint].filter((part) => part !== undefined).join(' ')
}
