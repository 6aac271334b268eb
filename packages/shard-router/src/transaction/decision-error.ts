import { sqlStateOf } from '../pool/sql-state.ts'
import { transactionError } from './transaction-error.ts'

/** What refused a decision, told by its cause; any other error as it is. */
export function decisionError(error: unknown, txid: string): unknown {
  const table = (error as { table?: unknown } | null)?.table
  if (sqlStateOf(error) === '23505' && table === 'transaction_decision') {
    return transactionError('ABORTED_BY_RECOVERY', `Transaction ${txid} was aborted by recovery.`, { cause: error })
  }
  if (sqlStateOf(error) === '42501' && table === undefined) {
    const message = 'The role may not write shardwright.transaction_decision.'
    return transactionError('DECISION_TABLE_UNAVAILABLE', message, { cause: error })
  }
  return error
}
