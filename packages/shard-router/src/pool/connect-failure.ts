import { ShardwrightError } from '@shardwright/core'
import { poolError } from './pool-error.ts'
import type { PoolErrorCode } from './pool-error-codes.ts'
import type { ServerAddress } from './server-address.ts'
import { sqlStateOf } from './sql-state.ts'

const codeBySqlState: Readonly<Record<string, PoolErrorCode>> = {
  '28P01': 'AUTHENTICATION_FAILED',
  '28000': 'AUTHENTICATION_FAILED',
  '3D000': 'DATABASE_NOT_FOUND',
}

/** What a failed connect means, without user, password or URL in the message. */
export function connectFailure(shard: string, address: ServerAddress, error: unknown): unknown {
  if (error instanceof ShardwrightError) return error
  const state = sqlStateOf(error)
  const context = { shard, server: address.label, cause: error, details: { sent: false } }
  const code = state === undefined ? undefined : codeBySqlState[state]
  if (code === 'AUTHENTICATION_FAILED') {
    return poolError(code, `${address.label} (shard ${shard}) refused the user or the password.`, context)
  }
  if (code === 'DATABASE_NOT_FOUND') {
    return poolError(code, `${address.label} (shard ${shard}): there is no such database.`, context)
  }
  const reason = error instanceof Error ? ((error as { code?: string }).code ?? error.message) : 'unknown'
  return poolError('SHARD_UNREACHABLE', `${address.label} (shard ${shard}) cannot be reached: ${reason}.`, context)
}
