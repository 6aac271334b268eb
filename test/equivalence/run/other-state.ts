/**
 * Why a statement that one PostgreSQL refuses with one SQLSTATE may be refused with another: a reason, or `undefined`
 * when it may not.
 */
export function otherState(
  expected: string | undefined,
  actual: string | undefined,
  refused: boolean,
): string | undefined {
  if (refused) return 'refused by the router before it ran'
  if (expected !== undefined && actual !== undefined && ofData(expected) && ofData(actual)) {
    return 'of two mistakes in the data, the first found is reported'
  }
  // Parts are planned by the servers one by one, so another of two mistakes may be met first; docs/routing.md says so.
  if (ofText(expected ?? '') && ofText(actual ?? '')) return 'of two mistakes in the text, the first found is reported'
  if (ofText(expected ?? '') && ofData(actual ?? '')) return 'a part that runs before the rest fails first'
  return undefined
}

function ofText(state: string): boolean {
  return state.startsWith('42')
}

/** Errors that depend on rows: which row comes first is open. */
function ofData(state: string): boolean {
  return /^(21|22|23)/.test(state)
}
