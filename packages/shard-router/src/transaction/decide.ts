import type { PgClient } from '@shardwright/core'
import { abortDecisionSql, type Outcome, readDecisionSql } from './decision-table.ts'

type Queries = Pick<PgClient, 'query'>

/** What is decided at the decider, as far as a row says. */
export async function readDecision(client: Queries, txid: string): Promise<Outcome | undefined> {
  const { rows } = await client.query<{ outcome: Outcome }>(readDecisionSql, [txid])
  return rows[0]?.outcome
}

/**
 * Decides a transaction at its decider: abort, unless it is decided already. Waits for a decider that is deciding now.
 * After it returned `abort`, the decider can never commit: its own row would be the second of the same key.
 */
export async function decide(client: Queries, txid: string, topology: string): Promise<Outcome> {
  for (;;) {
    await client.query(abortDecisionSql, [txid, topology])
    const outcome = await readDecision(client, txid)
    // Taken away between the two statements, because the transaction is finished everywhere: decide anew.
    if (outcome !== undefined) return outcome
  }
}
