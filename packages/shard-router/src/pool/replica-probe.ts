import { timelineSql } from './server-incarnation.ts'
import type { Statement } from './shard-pool.ts'

/** What one probe of a replica found. */
export interface ReplicaState {
  readonly replayed: string
  /** Whose log that is a position of. */
  readonly timeline: string
  readonly lagBytes: number
  readonly lagMs: number
  /** `server_version_num` */
  readonly serverVersion: number
}

export interface PrimaryRow {
  readonly lsn: string
  readonly timeline: string
  readonly systemId: string
}

/** Position of the primary's log. Read before the replicas are, so that their lag is never overstated. */
export const primaryProbe: Statement = Object.freeze({
  sql: `select pg_catalog.pg_current_wal_lsn()::text as lsn, ${timelineSql} as timeline,
    (select system_identifier::text from pg_catalog.pg_control_system()) as "systemId"`,
  parameters: Object.freeze([]),
  access: 'read',
  rows: 'facts',
})

export interface ReplicaRow {
  readonly standby: boolean
  readonly replayed: string | null
  readonly timeline: string
  readonly systemId: string
  readonly serverVersion: number
}

export const replicaProbe: Statement = Object.freeze({
  sql: `select pg_catalog.pg_is_in_recovery() as standby,
    pg_catalog.pg_last_wal_replay_lsn()::text as replayed, ${timelineSql} as timeline,
    pg_catalog.current_setting('server_version_num')::int as "serverVersion",
    (select system_identifier::text from pg_catalog.pg_control_system()) as "systemId"`,
  parameters: Object.freeze([]),
  access: 'read',
  rows: 'facts',
})
