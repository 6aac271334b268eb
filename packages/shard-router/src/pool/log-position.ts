import type { CommitMode } from './commit-mode.ts'
import type { Statement } from './shard-pool.ts'

const inserted = 'pg_catalog.pg_current_wal_insert_lsn()'
// With synchronous commit everything acknowledged is flushed; without it only inserted. The flushed position is preferred
// because the inserted one may stand behind a page header that no replica ever replays to.
const flushed = `case when pg_catalog.current_setting('synchronous_commit') = 'off'
  then ${inserted} else pg_catalog.pg_current_wal_flush_lsn() end`
const replayed = 'pg_catalog.pg_last_wal_replay_lsn()'

interface Positions {
  /** Asked of a primary: behind every commit that it has acknowledged. */
  readonly primary: Statement
  /** Asked of any server: behind every commit that it shows. */
  readonly any: Statement
}

function positions(ofPrimary: string): Positions {
  return {
    primary: asking(ofPrimary, 'write'),
    any: asking(`case when pg_catalog.pg_is_in_recovery() then ${replayed} else ${ofPrimary} end`, 'read'),
  }
}

function asking(position: string, access: Statement['access']): Statement {
  return Object.freeze({
    sql: `select (${position})::text as lsn`,
    parameters: Object.freeze([]),
    access,
    rows: 'facts',
  })
}

const synchronous = Object.freeze(positions(flushed))
const asynchronous = Object.freeze(positions(inserted))

/** The questions for a place in a shard's log. Each is one object, so that many statements can share its answer. */
export function logPosition(commits: CommitMode): Positions {
  return commits.asynchronous ? asynchronous : synchronous
}
