import { refuse } from './refuse.ts'

/** Functions whose lock outlives the statement and the transaction: it would stay on a pooled session, for whoever is next. */
export const sessionLocks: ReadonlySet<string> = new Set([
  'pg_advisory_lock',
  'pg_advisory_lock_shared',
  'pg_try_advisory_lock',
  'pg_try_advisory_lock_shared',
  'pg_advisory_unlock',
  'pg_advisory_unlock_shared',
  'pg_advisory_unlock_all',
])

export function refuseSessionLock(name: string): never {
  return refuse(
    'SESSION_STATE',
    `${name} belongs to a session, and a routed statement has none of its own.`,
    'Use pg_advisory_xact_lock in a transaction, or a connection of router.fleet, which is yours until you release it.',
    { function: name },
  )
}
