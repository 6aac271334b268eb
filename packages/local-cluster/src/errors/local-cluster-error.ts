import { ShardwrightError } from '@shardwright/core'
import { type LocalClusterErrorCode, localClusterErrorCodes } from './local-cluster-error-codes.ts'

export interface LocalClusterErrorInit {
  readonly hint?: string
  readonly details?: Readonly<Record<string, unknown>>
  readonly cause?: unknown
}

/**
 * An error of the local cluster; `code` is one of `localClusterErrorCodes`.
 *
 * @example
 * if (error instanceof LocalClusterError && error.code === 'REDIS_UNAVAILABLE') skip()
 */
export class LocalClusterError extends ShardwrightError {
  declare readonly code: LocalClusterErrorCode

  constructor(code: LocalClusterErrorCode, message: string, init: LocalClusterErrorInit = {}) {
    super({
      code,
      message,
      hint: init.hint ?? localClusterErrorCodes[code].remedy,
      details: init.details,
      cause: init.cause,
    })
  }
}
