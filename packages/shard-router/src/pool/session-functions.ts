/** Locks that outlive their statement and their transaction. */
const sessionLocks = [
  'pg_advisory_lock',
  'pg_advisory_lock_shared',
  'pg_try_advisory_lock',
  'pg_try_advisory_lock_shared',
]

/** Functions whose effect stays in the session, and which DISCARD ALL undoes. `set_config` does unless told otherwise. */
export const stateFunctions: ReadonlySet<string> = new Set([...sessionLocks, 'set_config', 'set_limit'])

/** Those whose effect ends with the session only: the state of random(), connections to other servers, an origin. */
export const lastingFunctions: ReadonlySet<string> = new Set([
  'setseed',
  'dblink_connect',
  'dblink_connect_u',
  'pg_replication_origin_session_setup',
])

/** Functions whose answer, or sense, depends on what the session did before. */
export const lookingBack: ReadonlySet<string> = new Set([
  'pg_advisory_unlock',
  'pg_advisory_unlock_shared',
  'pg_advisory_unlock_all',
  'pg_replication_origin_session_reset',
  'dblink_disconnect',
  'lastval',
  'currval',
])
