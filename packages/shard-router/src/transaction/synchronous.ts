import { incarnationSql } from './incarnation.ts'

// Decisions and prepared states must be on disk (and on synchronous standbys) whatever the session prefers.
const synchronous = `case when pg_catalog.current_setting('synchronous_commit') in ('off', 'local', 'remote_write')
 then pg_catalog.set_config('synchronous_commit', 'on', true) end as synchronous`

/** In front of the decision. */
export const synchronousSql = `select ${synchronous}`

/** In front of PREPARE: the number by which the fate of this part can be asked for later. */
export const identifySql = `select pg_catalog.pg_current_xact_id()::text as xid, ${incarnationSql} as incarnation, ${synchronous}`
