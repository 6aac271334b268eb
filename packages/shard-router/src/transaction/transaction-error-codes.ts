/** The codes of transactions across shards, with what they mean and what to do; docs/errors.md is generated from this. */
export const transactionErrorCodes = Object.freeze({
  ATOMIC_COMMIT_UNAVAILABLE: {
    meaning: 'A shard cannot prepare transactions, because max_prepared_transactions is 0 there.',
    remedy: 'Set max_prepared_transactions to at least max_connections on every shard and restart its server.',
  },
  PREPARED_TRANSACTIONS_EXHAUSTED: {
    meaning: 'A shard holds as many prepared transactions as max_prepared_transactions allows; all was rolled back.',
    remedy: 'Try again; raise max_prepared_transactions, and run recoverTransactions for those left behind.',
  },
  DECISION_TABLE_UNAVAILABLE: {
    meaning: 'shardwright.transaction_decision does not exist on a shard and could not be made, or may not be used.',
    remedy:
      'Call installTransactions(fleet) as a role that may create schemas, and grant the application USAGE on the schema, and SELECT, INSERT and DELETE on the table.',
  },
  NOTIFY_IN_ATOMIC_TRANSACTION: {
    meaning: 'PostgreSQL cannot prepare a transaction that used LISTEN, UNLISTEN or NOTIFY; all was rolled back.',
    remedy: 'Send the notification after the commit (afterCommit), or write an outbox row in the transaction.',
  },
  PREPARE_REFUSED: {
    meaning: 'PostgreSQL cannot prepare this transaction: it used something that belongs to the session.',
    remedy: 'Use no temporary tables, no cursors WITH HOLD, no exported snapshots and no session locks in it.',
  },
  TRANSACTION_NUMBER_MISSING: {
    meaning:
      'A shard prepared its part without the number by which its fate could be asked for later; all was rolled back.',
    remedy: 'Look at what stands between the process and the shard: a proxy has left out the answer to a statement.',
  },
  TRANSACTION_FAILED: {
    meaning: 'An earlier statement of the transaction failed, so nothing more may run in it, on any shard.',
    remedy: 'Roll back, or roll back to a savepoint that was set before.',
  },
  TRANSACTION_ENDED: {
    meaning: 'A transaction was used after it was committed or rolled back.',
    remedy: 'Begin a new transaction.',
  },
  TRANSACTION_IN_DOUBT: {
    meaning: 'The connection to the decider was lost while it committed, and it cannot be asked yet what came of it.',
    remedy: 'Recovery finishes it, all or nothing, when the shard is back. Look at the data before trying again.',
  },
  ABORTED_BY_RECOVERY: {
    meaning: 'Recovery aborted the transaction, because this process took too long to commit it. Nothing was written.',
    remedy: 'Try again.',
  },
  DEADLOCK_ACROSS_SHARDS: {
    meaning:
      'Transactions on several shards waited for each other in a cycle, and this one, the youngest, was cancelled.',
    remedy: 'Try again; touch rows in the same order everywhere to avoid it.',
  },
  LOCK_TIMEOUT_ACROSS_SHARDS: {
    meaning: 'A statement waited longer for a lock than a transaction across shards may.',
    remedy: 'Try again; shorten transactions, or raise lockTimeoutMs.',
  },
  MOVE_KEY_UNSUITABLE: {
    meaning:
      'A key cannot be moved: no such family, the same key, other columns on the other shard, rows that would be lost.',
    remedy:
      'Name a family of the schema and two different keys; bring both shards to the same migration; place all tables that cascade.',
  },
  INVALID_TRANSACTION_OPTIONS: {
    meaning: 'An option of atomic transactions or of recovery is not usable.',
    remedy: 'Correct the option that the message names.',
  },
} as const)

/** One of the codes of `TransactionError`. */
export type TransactionErrorCode = keyof typeof transactionErrorCodes
