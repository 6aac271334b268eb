import { tableExistsSql } from './decision-table.ts'
import { incarnationSql } from './incarnation.ts'

/** What does not change while a session to a primary lives. */
export interface SessionFacts {
  readonly incarnation: string
  /** The decision table is there. False is no news after a while: who would decide asks again. */
  readonly hasTable: boolean
  /** What makes the decision durable, on disk and on synchronous standbys, whatever the session prefers. */
  readonly durableSql: string
  /** The same for PREPARE, which is on disk in any case: only a session that does not wait for standbys needs it. */
  readonly prepareSql: string
}

/** Columns for `factsOf`. */
export const factsSql = `${incarnationSql} as incarnation, ${tableExistsSql} as has_table,
 pg_catalog.current_setting('synchronous_commit') as synchronous`

export interface FactsRow {
  readonly incarnation: string
  readonly has_table: boolean
  readonly synchronous: string
}

const setSynchronous = 'set local synchronous_commit = on; '

const known = new WeakMap<object, SessionFacts>()

/** What an earlier transaction on the session has learned; undefined before the first. */
export function knownFacts(session: object | undefined): SessionFacts | undefined {
  return session && known.get(session)
}

export function rememberFacts(session: object | undefined, row: FactsRow): SessionFacts {
  const facts: SessionFacts = Object.freeze({
    incarnation: row.incarnation,
    hasTable: row.has_table,
    // remote_apply is more than is needed, and is what its readers rely on.
    durableSql: row.synchronous === 'remote_apply' ? '' : setSynchronous,
    prepareSql: row.synchronous === 'remote_apply' || row.synchronous === 'on' ? '' : setSynchronous,
  })
  if (session) known.set(session, facts)
  return facts
}

/** The decision table was made. */
export function rememberTable(session: object | undefined): void {
  const facts = knownFacts(session)
  if (session && facts) known.set(session, Object.freeze({ ...facts, hasTable: true }))
}
