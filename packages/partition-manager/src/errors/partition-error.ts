import { ShardwrightError, type ShardwrightErrorInit } from '@shardwright/core'
import { type PartitionErrorCode, partitionManagerErrorCodes } from './error-codes.ts'

export interface PartitionErrorInit extends Omit<ShardwrightErrorInit, 'code'> {
  readonly code: PartitionErrorCode
}

/**
 * What the partition manager throws; `code` is one of `partitionManagerErrorCodes`.
 * @example
 * try { await applyPlan(shard, plan) } catch (error) {
 *   if (error instanceof PartitionError && error.code === 'PARTITION_PLAN_STALE') retryLater()
 * }
 */
export class PartitionError extends ShardwrightError {
  declare readonly code: PartitionErrorCode

  constructor(init: PartitionErrorInit) {
    super({ ...init, hint: init.hint ?? partitionManagerErrorCodes[init.code].remedy })
  }
}
