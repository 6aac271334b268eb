import { AbortedTransactionError } from 'kysely'
import { endsSession, sqlStateOf } from '../pool/sql-state.ts'
import { type AtomicContext, shardIdOf } from './atomic-context.ts'
import { formatGid, gidName } from './gid.ts'
import type { Participant } from './participant.ts'
import { transactionError } from './transaction-error.ts'
import { identifySql, type Vote } from './vote.ts'

/** The name under which a part of a transaction is prepared. */
export function gidOf(context: AtomicContext, txid: string, decider: Vote, { shard }: Participant): string {
  return formatGid({
    topology: context.topology,
    txid,
    decider: gidName(shardIdOf(context, decider.participant.shard)),
    incarnation: decider.facts.incarnation,
    participant: gidName(shardIdOf(context, shard)),
  })
}

/** What deferred triggers change now, nobody keeps any more: the triggers of lookups refuse it from here on. */
export function lastSqlOf({ keepsLookups }: AtomicContext): string {
  return keepsLookups ? "set local shardwright.lookup_changes = ''; " : ''
}

/** PREPARE TRANSACTION, and in front of it the question for the transaction's number. */
export function prepareSqlOf(context: AtomicContext, { facts }: Vote, gid: string): string {
  return `${lastSqlOf(context)}${facts.prepareSql}${identifySql}; prepare transaction '${gid}'`
}

/**
 * Takes note of the answer to PREPARE, and gives the number that stood in front of it.
 * @throws AbortedTransactionError in a failed transaction, where PREPARE TRANSACTION succeeds with the tag ROLLBACK
 * @throws TransactionError TRANSACTION_NUMBER_MISSING
 */
export function notePrepared(
  participant: Participant,
  shard: string,
  command: string | undefined,
  xid: string | null | undefined,
): string {
  participant.state = command === 'PREPARE' ? 'prepared' : 'ended'
  if (command !== 'PREPARE') throw new AbortedTransactionError()
  if (xid) return xid
  throw transactionError(
    'TRANSACTION_NUMBER_MISSING',
    `Shard '${shard}' prepared its part and did not tell the number of its transaction.`,
    { details: { shard } },
  )
}

/** An error that means that the server has rolled back: one that ends the session may come after the work was done. */
export function isPlainRefusal(error: unknown): boolean {
  return sqlStateOf(error) !== undefined && !endsSession(error)
}
