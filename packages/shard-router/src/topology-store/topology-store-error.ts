import { TopologyError } from '@shardwright/core'
import { type TopologyStoreErrorCode, topologyStoreErrorCodes } from './topology-store-error-codes.ts'

/** A TopologyError with the catalogue's remedy as its hint. */
export function topologyStoreError(
  code: TopologyStoreErrorCode,
  message: string,
  details: Readonly<Record<string, unknown>> = {},
  cause?: unknown,
): TopologyError {
  const hint = topologyStoreErrorCodes[code].remedy
  return new TopologyError({ code, message, hint, details, ...(cause === undefined ? {} : { cause }) })
}
