import type { Participant } from './participant.ts'
import { type FactsRow, factsSql, knownFacts, rememberFacts, type SessionFacts } from './session-facts.ts'

/** What a participant says before anything is prepared. */
export interface Vote {
  readonly participant: Participant
  /** The transaction's number there; null when it wrote nothing, '' when it wrote and the number comes with PREPARE. */
  readonly xid: string | null
  readonly facts: SessionFacts
}

// The number also proves, before anything is prepared, that the decider's transaction is older than any abort row.
const xidSql = 'select pg_catalog.pg_current_xact_id_if_assigned()::text as xid'

/** Asks a participant whether it wrote. A transaction that failed on the server cannot answer and rejects (25P02). */
export async function voteOf(participant: Participant, before = ''): Promise<Vote> {
  const { session } = participant.lease
  const remembered = knownFacts(session)
  const facts = remembered?.hasTable === true ? remembered : undefined
  const { rows } = await participant.run(`${before}${xidSql}${facts === undefined ? `, ${factsSql}` : ''}`)
  const row = rows[0] as { readonly xid: string | null } & FactsRow
  return { participant, xid: row.xid, facts: facts ?? rememberFacts(session, row) }
}

/** The vote of a participant that is known to have written: no question is needed, when its session is known. */
export function assumedVote(participant: Participant): Vote | undefined {
  const facts = knownFacts(participant.lease.session)
  return facts && { participant, xid: '', facts }
}

/** Behind BEGIN, and travelling with it: gives the transaction its number, and no row. */
export const takeNumberSql = '; select 1 where pg_catalog.pg_current_xact_id() is null'

/** In front of PREPARE: gives the number by which the fate of this part can be asked for later. */
export const identifySql = 'select pg_catalog.pg_current_xact_id()::text as xid'
