import type { Client } from 'pg'
import { serverFacts } from './server-facts.ts'

/** Which server this is, in a way that survives a change of address and ends with a promotion. */
export interface ServerIncarnation {
  readonly systemId: string
  /** Timeline as eight hexadecimal digits; of a standby, the one it follows. */
  readonly timeline: string
  readonly standby: boolean
  /** Of the process that answered. */
  readonly processId: number
  /** The same text for two sessions on one database of one running server, whatever their URLs are. */
  readonly database: string
}

/**
 * The timeline of the server that answers. pg_walfile_name is refused on a standby; what it received last is the timeline
 * that it follows.
 */
export const timelineSql = `case when pg_catalog.pg_is_in_recovery()
    then pg_catalog.lpad(pg_catalog.to_hex(coalesce((select received_tli from pg_catalog.pg_stat_wal_receiver),
      (select timeline_id from pg_catalog.pg_control_checkpoint()))), 8, '0')
    else pg_catalog.lower(pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 1, 8))
  end`

// Copies of one server have its system identifier, but were not started in the same microsecond. Several shards may be
// schemas of one database, told apart by search_path.
const databaseSql = `pg_catalog.concat_ws('/', system_identifier,
  (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database()),
  extract(epoch from pg_catalog.pg_postmaster_start_time()), pg_catalog.current_setting('search_path'))`

const incarnationSql = `select system_identifier::text as "systemId", pg_catalog.pg_backend_pid() as "processId",
  pg_catalog.pg_is_in_recovery() as standby, ${timelineSql} as timeline, ${databaseSql} as database
  from pg_catalog.pg_control_system()`

/** True for a primary that a promotion has left behind: what was committed since is not in its log. */
export function isSuperseded(found: ServerIncarnation, known: ServerIncarnation | undefined): boolean {
  return known !== undefined && found.systemId === known.systemId && found.timeline < known.timeline
}

export async function readIncarnation(client: Client): Promise<ServerIncarnation> {
  const { rows } = await client.query(incarnationSql)
  return rows[0] as ServerIncarnation
}

/** True when the server said at connect, or says now, that it is a standby. */
export async function isStandby(client: Client): Promise<boolean> {
  // Behind a pooler nothing is known.
  const told = serverFacts(client).standby
  if (told !== undefined) return told
  const { rows } = await client.query('select pg_catalog.pg_is_in_recovery() as standby')
  return (rows[0] as { standby: boolean }).standby
}
