import { ShardwrightError } from '@shardwright/core'
import { poolError } from './pool-error.ts'
import type { PoolErrorCode } from './pool-error-codes.ts'
import type { ServerAddress } from './server-address.ts'
import { sqlStateOf } from './sql-state.ts'

interface Failure {
  readonly code: PoolErrorCode
  /** Follows the server's name. */
  readonly what: string
  readonly hint?: string
}

/** What a failed connect means, without password or URL in the message. */
export function connectFailure(shard: string, address: ServerAddress, error: unknown): unknown {
  if (error instanceof ShardwrightError) return error
  const { code, what, hint } = sqlStateOf(error) === undefined ? readLocal(error) : readAnswer(error as ServerAnswer)
  return poolError(code, `${address.label} (shard ${shard}) ${what}.`, {
    shard,
    server: address.label,
    cause: error,
    details: { sent: false },
    ...(hint === undefined ? {} : { hint }),
  })
}

interface ServerAnswer {
  readonly code: string
  readonly message: string
}

// What passes by itself: too many clients, starting up, shutting down.
const passing = /^(?:53|57|58|08|XX)/

/** The server, or a pooler in its place, has answered with an error. */
function readAnswer({ code, message }: ServerAnswer): Failure {
  if (code === '28P01') return { code: 'AUTHENTICATION_FAILED', what: 'refused the user or the password' }
  if (code === '28000') {
    const clear = /no encryption|SSL off/i.test(message)
    return {
      code: 'AUTHENTICATION_FAILED',
      what: `admits no such user from here${clear ? ' without TLS' : ''}`,
      ...(clear ? { hint: 'Add sslmode=verify-full to the URL, or an entry to pg_hba.conf.' } : {}),
    }
  }
  if (code === '3D000') return { code: 'DATABASE_NOT_FOUND', what: 'has no such database' }
  if (code === '08P01' && /startup parameter/i.test(message)) {
    return { code: 'POOLER_MISMATCH', what: `refuses what only a pooler refuses: ${message}` }
  }
  const what = `refused the connection: ${message} (${code})`
  if (!passing.test(code)) return { code: 'CONNECTION_REJECTED', what }
  return { code: 'SHARD_UNREACHABLE', what, hint: 'It passes by itself as a rule; else ask the log of the server.' }
}

const tlsCode = /^(?:ERR_(?:TLS|SSL)|UNABLE_TO_|CERT_|SELF_SIGNED|DEPTH_ZERO|HOSTNAME_MISMATCH|EPROTO)/

/** Nothing came, or this side did not go on with what came. */
function readLocal(error: unknown): Failure {
  const { code, message } = localError(error)
  if (/password must be|^SASL/i.test(message)) {
    return { code: 'AUTHENTICATION_FAILED', what: 'asks for a password, and its URL has none that is usable' }
  }
  if (/does not support SSL/i.test(message)) {
    return { code: 'TLS_FAILED', what: 'does not offer TLS, which its URL asks for' }
  }
  if (tlsCode.test(code)) return { code: 'TLS_FAILED', what: `cannot be reached by TLS: ${code}` }
  const reason = message === 'timeout expired' ? 'it did not answer in time' : code || message
  return { code: 'SHARD_UNREACHABLE', what: `cannot be reached: ${reason}`, hint: unreachableHint }
}

const unreachableHint = 'Check that the server runs and that host, port and network rules are right.'

function localError(error: unknown): { readonly code: string; readonly message: string } {
  if (!(error instanceof Error)) return { code: '', message: 'unknown' }
  const { code } = error as { code?: unknown }
  return { code: typeof code === 'string' ? code : '', message: error.message }
}

/** The client could not even be made: a file that its URL names cannot be read, or its TLS settings contradict each other. */
export function clientFailure(shard: string, address: ServerAddress, error: unknown): Error {
  const { code, message } = localError(error)
  const reason = code === '' ? message : code
  return poolError('TLS_FAILED', `The TLS settings of ${address.label} (shard ${shard}) are not usable: ${reason}.`, {
    shard,
    server: address.label,
    cause: error,
    details: { sent: false },
  })
}
