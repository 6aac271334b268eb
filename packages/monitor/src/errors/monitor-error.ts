import { ShardwrightError, type ShardwrightErrorInit } from '@shardwright/core'
import { type MonitorErrorCode, monitorErrorCodes } from './monitor-error-codes.ts'

export interface MonitorErrorInit extends Omit<ShardwrightErrorInit, 'code'> {
  readonly code: MonitorErrorCode
}

/**
 * What the monitor throws; `code` is one of `monitorErrorCodes`.
 * @example
 * try { decide(rules, history) } catch (error) {
 *   if (error instanceof MonitorError && error.code === 'MONITOR_INVALID_OPTIONS') console.error(error.message)
 * }
 */
export class MonitorError extends ShardwrightError {
  declare readonly code: MonitorErrorCode

  constructor(init: MonitorErrorInit) {
    super({ ...init, hint: init.hint ?? monitorErrorCodes[init.code].remedy })
  }
}
