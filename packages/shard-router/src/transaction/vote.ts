import { tableExistsSql } from './decision-table.ts'
import { incarnationSql } from './incarnation.ts'
import type { Participant } from './participant.ts'

/** What a participant says before anything is prepared. */
export interface Vote {
  readonly participant: Participant
  /** The transaction's number there; null when it wrote nothing. */
  readonly xid: string | null
  readonly incarnation: string
  readonly maxPrepared: number
  readonly hasTable: boolean
}

// The number also proves, before anything is prepared, that the decider's transaction is older than any abort row.
// Decisions and prepared states must be on disk (and on synchronous standbys) whatever the session prefers.
const voteSql = `select pg_catalog.pg_current_xact_id_if_assigned()::text as xid,
 ${incarnationSql} as incarnation,
 pg_catalog.current_setting('max_prepared_transactions')::int as max_prepared,
 ${tableExistsSql} as has_table,
 case when pg_catalog.current_setting('synchronous_commit') in ('off', 'local', 'remote_write')
  then pg_catalog.set_config('synchronous_commit', 'on', true) end as synchronous`

interface VoteRow {
  readonly xid: string | null
  readonly incarnation: string
  readonly max_prepared: number
  readonly has_table: boolean
}

/** Asks a participant whether it wrote. A transaction that failed on the server cannot answer and rejects (25P02). */
export async function voteOf(participant: Participant): Promise<Vote> {
  const { rows } = await participant.run(voteSql)
  const row = rows[0] as VoteRow
  return {
    participant,
    xid: row.xid,
    incarnation: row.incarnation,
    maxPrepared: row.max_prepared,
    hasTable: row.has_table,
  }
}
