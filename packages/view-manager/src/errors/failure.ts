import { ShardwrightError } from '@shardwright/core'
import { ViewError } from './view-error.ts'

/** Why something was not done, as plain data for a report. */
export interface Failure {
  readonly code: string
  readonly message: string
  readonly hint?: string | undefined
  readonly sqlState?: string | undefined
}

/** Turns what was thrown into a {@link Failure}. */
export function failureOf(error: unknown, doing: string): Failure {
  const wrapped = wrapServerError(error, doing)
  const { code, message, hint } = wrapped
  return { code, message, hint, sqlState: sqlStateOf(wrapped) }
}

/** Wraps an error of the driver with what was being done; errors of Shardwright pass unchanged. */
export function wrapServerError(error: unknown, doing: string): ShardwrightError {
  if (error instanceof ShardwrightError) return error
  const state = sqlStateOf(error)
  const text = error instanceof Error ? error.message : String(error)
  return new ViewError({
    code: state === '23505' ? 'VIEW_NOT_UNIQUE' : state === '2BP01' ? 'VIEW_REFERENCED' : 'VIEW_REFRESH_FAILED',
    message: `${doing}: ${text}${state ? ` (${state})` : ''}`,
    details: { sqlState: state },
    cause: error,
  })
}

/** The SQLSTATE of a driver's error, here or in its cause. */
export function sqlStateOf(error: unknown): string | undefined {
  for (let current = error, depth = 0; current instanceof Error && depth < 5; current = current.cause, depth++) {
    const { code } = current as { code?: unknown }
    if (typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code)) return code
  }
  return undefined
}
