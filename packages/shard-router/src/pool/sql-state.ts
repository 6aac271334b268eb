/** The five characters of an error that the server sent; undefined for anything else (`ECONNRESET` is no SQLSTATE). */
export function sqlStateOf(error: unknown): string | undefined {
  const fields = error as { code?: unknown; severity?: unknown } | null | undefined
  const code = fields?.code
  return typeof code === 'string' && fields?.severity !== undefined && /^[0-9A-Z]{5}$/.test(code) ? code : undefined
}

/** True when the server ended the session with this error. The severity word is translated, the SQLSTATE is not. */
export function endsSession(error: unknown): boolean {
  const state = sqlStateOf(error)
  return state !== undefined && (state.startsWith('57P') || state.startsWith('08'))
}
