import { ShardwrightError } from '@shardwright/core'
import { sqlStateOf } from './sql-state.ts'

/** What an error is called in a metric: its SQLSTATE, our code, or the system's. A caller's own reason says nothing there. */
export function errorCodeOf(error: unknown): string {
  const state = sqlStateOf(error)
  if (state !== undefined) return state
  if (error instanceof ShardwrightError) return error.code
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown }
  if (typeof code === 'string' && /^E[A-Z0-9_]{2,30}$/.test(code)) return code
  return name === 'AbortError' || name === 'TimeoutError' ? name : 'unknown'
}
