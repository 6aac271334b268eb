import type { PgClient } from '@shardwright/core'
import { type AtomicContext, shardIdOf, withDirectClient } from './atomic-context.ts'
import { decide, readDecision } from './decide.ts'
import type { Outcome } from './decision-table.ts'
import { incarnationSql } from './incarnation.ts'
import { transactionError } from './transaction-error.ts'
import type { Vote } from './vote.ts'

const pauseMs = 200

/**
 * Learns what came of a decision whose answer was lost: the connection went away beneath COMMIT.
 * @throws TransactionError TRANSACTION_IN_DOUBT when the decider cannot be asked in time
 */
export async function resolveDecision(
  context: AtomicContext,
  txid: string,
  decider: Vote,
  lost: unknown,
): Promise<Outcome> {
  const { clock, decisionTimeoutMs } = context.settings
  const { shard } = decider.participant
  const until = clock.monotonicMs() + decisionTimeoutMs
  let cause = lost
  do {
    try {
      const outcome = await withDirectClient(context, shard, (client) => ask(context, client, txid, decider))
      if (outcome !== undefined) return outcome
      break
    } catch (error) {
      cause = error
      await clock.sleep(pauseMs)
    }
  } while (clock.monotonicMs() < until)
  const id = shardIdOf(context, shard)
  context.telemetry.count('shardwright.transactions.in_doubt', 1, { shard: id })
  throw transactionError(
    'TRANSACTION_IN_DOUBT',
    `Transaction ${txid} was being committed on shard '${id}' when the connection was lost, and the shard does not answer.`,
    { details: { txid, decider: id }, cause },
  )
}

async function ask(
  context: AtomicContext,
  client: PgClient,
  txid: string,
  decider: Vote,
): Promise<Outcome | undefined> {
  await client.query(`set lock_timeout = ${context.settings.decisionTimeoutMs}`)
  const { rows } = await client.query<{ incarnation: string }>(`select ${incarnationSql} as incarnation`)
  if (rows[0]?.incarnation !== decider.incarnation) {
    // After a failover a missing row may have been lost; a row that is there still speaks the truth.
    return await readDecision(client, txid)
  }
  const outcome = await decide(client, txid, context.topology)
  // Recovery may have finished the commit and taken its row away, so that ours went in: the server remembers.
  return (await hasCommitted(client, decider.xid)) ? 'commit' : outcome
}

async function hasCommitted(client: PgClient, xid: string | null): Promise<boolean> {
  const { rows } = await client.query<{ status: string | null }>(
    'select pg_catalog.pg_xact_status($1::text::xid8) as status',
    [xid],
  )
  return rows[0]?.status === 'committed'
}
