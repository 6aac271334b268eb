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
 * @throws TransactionError TRANSACTION_IN_DOUBT when the shards cannot be asked in time
 */
export async function resolveDecision(
  context: AtomicContext,
  txid: string,
  decider: Vote,
  others: readonly Vote[],
  lost: unknown,
): Promise<Outcome> {
  const { clock, decisionTimeoutMs } = context.settings
  const until = clock.monotonicMs() + decisionTimeoutMs
  let cause = lost
  do {
    const signal = AbortSignal.timeout(Math.max(1, Math.ceil(until - clock.monotonicMs())))
    try {
      const outcome = await askDecision(context, txid, decider, others, signal)
      if (outcome !== undefined) return outcome
      break
    } catch (error) {
      cause = error
      await clock.sleep(pauseMs)
    }
  } while (clock.monotonicMs() < until)
  const id = shardIdOf(context, decider.participant.shard)
  context.telemetry.count('shardwright.transactions.in_doubt', 1, { shard: id })
  throw transactionError(
    'TRANSACTION_IN_DOUBT',
    `Transaction ${txid} was being committed on shard '${id}' when the connection was lost, and it cannot be learned yet what came of it.`,
    { details: { txid, decider: id }, cause },
  )
}

/** One try. Undefined when nobody can tell any more, unless a person does. Rejects when it is worth asking again. */
export async function askDecision(
  context: AtomicContext,
  txid: string,
  decider: Vote,
  others: readonly Vote[],
  signal?: AbortSignal,
): Promise<Outcome | undefined> {
  const ask = async (client: PgClient) => {
    await client.query(`set lock_timeout = ${context.settings.decisionTimeoutMs}`)
    if (await isAnother(client, decider)) {
      // After a failover a missing row may have been lost; a row that is there still speaks the truth.
      return (await readDecision(client, txid)) ?? 'unknown'
    }
    return await decide(client, txid, context.topology)
  }
  const decided = await withDirectClient(context, decider.participant.shard, ask, signal)
  if (decided === 'unknown') return undefined
  return decided === 'commit' ? 'commit' : await fateOfParticipants(context, others, signal)
}

/**
 * That `abort` stands at the decider does not prove that it did not commit before: recovery may have finished all and
 * taken the row away. Then every participant has committed, and one of them suffices as a witness. The participant's
 * number is asked, not the decider's: PREPARE put it on disk, while a crash may give the decider's to somebody else.
 */
async function fateOfParticipants(
  context: AtomicContext,
  others: readonly Vote[],
  signal: AbortSignal | undefined,
): Promise<Outcome | undefined> {
  let failure: unknown
  for (const vote of others) {
    try {
      const fate = await withDirectClient(context, vote.participant.shard, (client) => fateOf(client, vote), signal)
      if (fate !== undefined) return fate
    } catch (error) {
      failure = error
    }
  }
  if (failure !== undefined) throw failure
  return undefined
}

async function fateOf(client: PgClient, vote: Vote): Promise<Outcome | undefined> {
  if (await isAnother(client, vote)) return undefined
  const { rows } = await client.query<{ status: string | null }>(
    'select pg_catalog.pg_xact_status($1::text::xid8) as status',
    [vote.xid],
  )
  const status = rows[0]?.status ?? undefined
  if (status === undefined) return undefined
  return status === 'committed' ? 'commit' : 'abort'
}

async function isAnother(client: PgClient, vote: Vote): Promise<boolean> {
  const { rows } = await client.query<{ incarnation: string }>(`select ${incarnationSql} as incarnation`)
  return rows[0]?.incarnation !== vote.facts.incarnation
}
