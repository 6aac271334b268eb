import { tableExistsSql } from './decision-table.ts'
import { incarnationSql } from './incarnation.ts'
import type { Participant } from './participant.ts'

/** What a participant says before anything is prepared. */
export interface Vote {
  readonly participant: Participant
  /** The transaction's number there; null when it wrote nothing. */
  readonly xid: string | null
  readonly incarnation: string
  readonly hasTable: boolean
}

// The number also proves, before anything is prepared, that the decider's transaction is older than any abort row.
const voteSql = `select pg_catalog.pg_current_xact_id_if_assigned()::text as xid,
 ${incarnationSql} as incarnation, ${tableExistsSql} as has_table`

/** Asks a participant whether it wrote. A transaction that failed on the server cannot answer and rejects (25P02). */
export async function voteOf(participant: Participant, before = ''): Promise<Vote> {
  const { rows } = await participant.run(`${before}${voteSql}`)
  const row = rows[0] as { readonly xid: string | null; readonly incarnation: string; readonly has_table: boolean }
  return { participant, xid: row.xid, incarnation: row.incarnation, hasTable: row.has_table }
}

/** A vote of a participant that is known to have written; its number comes with PREPARE. */
export function assumedVote(participant: Participant): Vote {
  return { participant, xid: '', incarnation: '', hasTable: false }
}

export function isAssumed(vote: Vote): boolean {
  return vote.xid === ''
}
