import { sqlStateOf } from './sql-state.ts'

interface ServerError {
  readonly code?: unknown
  readonly routine?: unknown
  readonly where?: unknown
}

/**
 * True when a prepared statement is refused before anything of it ran: DDL changed its result type (0A000, "cached plan
 * must not change result type") or the session behind a pooler does not know its name (26000). The routine tells it
 * apart from a function's own 0A000; the message does not, as it is translated.
 */
export function isStalePlan(error: unknown): boolean {
  const { code, routine, where } = (error ?? {}) as ServerError
  if (where !== undefined) return false
  return changesResult(code, routine) || code === '26000' || code === '42P05'
}

/** True when DDL is the cause, and not a name that a session does not know. */
export function isChangedResult(error: unknown): boolean {
  const { code, routine } = (error ?? {}) as ServerError
  return changesResult(code, routine)
}

function changesResult(code: unknown, routine: unknown): boolean {
  return code === '0A000' && routine === 'RevalidateCachedQuery'
}

// Out of range, no date, no such date, not of the type; a value of another type, no such cast, no such operator.
const typeErrors = new Set(['22003', '22007', '22008', '22P02', '42804', '42846', '42883'])

/**
 * True for what a statement may be told for the types of its parameters alone, which a named one keeps from its first use:
 * since an ALTER TABLE they may be others (a value beyond the range of integer for a column that is bigint now).
 */
export function mayBeOldTypes(error: unknown): boolean {
  const state = sqlStateOf(error)
  return state !== undefined && typeErrors.has(state)
}
