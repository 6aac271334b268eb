import { ConfigurationError, ConnectionError } from '@shardwright/core'
import { type PoolErrorCode, poolErrorCodes } from './pool-error-codes.ts'

interface PoolErrorContext {
  readonly shard?: string
  /** Host, port and database; never user or password. */
  readonly server?: string
  readonly hint?: string
  readonly cause?: unknown
  readonly details?: Readonly<Record<string, unknown>>
}

/** A ConnectionError with the catalogue's remedy as its hint. */
export function poolError(code: PoolErrorCode, message: string, context: PoolErrorContext = {}): ConnectionError {
  return new ConnectionError({
    code,
    message,
    hint: context.hint ?? poolErrorCodes[code].remedy,
    cause: context.cause,
    details: {
      ...context.details,
      ...(context.shard === undefined ? {} : { shard: context.shard }),
      ...(context.server === undefined ? {} : { server: context.server }),
    },
  })
}

/** A ConfigurationError of the pool's options. */
export function poolOptionsError(message: string, cause?: unknown): ConfigurationError {
  return new ConfigurationError({
    code: 'INVALID_POOL_OPTIONS',
    message,
    hint: poolErrorCodes.INVALID_POOL_OPTIONS.remedy,
    cause,
  })
}
