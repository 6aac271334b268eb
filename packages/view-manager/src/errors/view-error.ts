import { ShardwrightError, type ShardwrightErrorInit } from '@shardwright/core'
import { type ViewErrorCode, viewManagerErrorCodes } from './view-manager-error-codes.ts'

export interface ViewErrorInit extends Omit<ShardwrightErrorInit, 'code'> {
  readonly code: ViewErrorCode
}

/**
 * What the view manager throws; `code` is one of `viewManagerErrorCodes`.
 * @example
 * try { await manager.install() } catch (error) {
 *   if (error instanceof ViewError && error.code === 'VIEW_REFERENCED') console.error(error.hint)
 * }
 */
export class ViewError extends ShardwrightError {
  declare readonly code: ViewErrorCode

  constructor(init: ViewErrorInit) {
    super({ ...init, hint: init.hint ?? viewManagerErrorCodes[init.code].remedy })
  }
}

/** VIEW_INVALID with a reason. */
export function invalid(reason: string): ViewError {
  return new ViewError({ code: 'VIEW_INVALID', message: reason })
}
