import { ShardwrightError } from '@shardwright/core'
import { PartitionError } from './partition-error.ts'
import { dependentObjects, foreignKeyViolation, sqlStateOf } from './sql-state.ts'

/** Why something was not done, as plain data for a report. */
export interface Failure {
  readonly code: string
  readonly message: string
  readonly hint?: string | undefined
  readonly sqlState?: string | undefined
}

/** Turns whatever was thrown into a {@link Failure}; the message of the server is kept, a secret cannot be in it. */
export function failureOf(error: unknown): Failure {
  if (error instanceof ShardwrightError) {
    return {
      code: error.code,
      message: error.message,
      hint: error.hint,
      sqlState: sqlStateOf(error) ?? sqlStateOf(error.cause),
    }
  }
  const wrapped = wrapServerError(error, 'maintenance')
  return { code: wrapped.code, message: wrapped.message, hint: wrapped.hint, sqlState: sqlStateOf(error) }
}

/** Wraps an error of the driver with what was being done; errors of Shardwright pass unchanged. */
export function wrapServerError(error: unknown, doing: string): ShardwrightError {
  if (error instanceof ShardwrightError) return error
  const state = sqlStateOf(error)
  const text = error instanceof Error ? error.message : String(error)
  return new PartitionError({
    code:
      state === foreignKeyViolation || state === dependentObjects ? 'PARTITION_REFERENCED' : 'PARTITION_ACTION_FAILED',
    message: `${doing}: ${text}${state ? ` (${state})` : ''}`,
    details: { sqlState: state },
    cause: error,
  })
}
