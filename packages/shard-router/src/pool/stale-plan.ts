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
  return (code === '0A000' && routine === 'RevalidateCachedQuery') || code === '26000' || code === '42P05'
}
