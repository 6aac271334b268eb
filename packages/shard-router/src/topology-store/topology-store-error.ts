import { TopologyError } from '@shardwright/core'
import { type TopologyStoreErrorCode, topologyStoreErrorCodes } from './topology-store-error-codes.ts'

/** A TopologyError with the catalogue's remedy as its hint. */
export function topologyStoreError(
  code: TopologyStoreErrorCode,
  message: string,
  details: Readonly<Record<string, unknown>> = {},
): TopologyError {
  return new TopologyError({ code, message, hint: topologyStoreErrorCodes[code].remedy, details })
}
