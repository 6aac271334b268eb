import { type PartitionErrorCode, partitionManagerErrorCodes } from '../errors/error-codes.ts'
import type { PartitionProblem } from './partition-plan.ts'

export function problem(
  code: PartitionErrorCode,
  severity: PartitionProblem['severity'],
  message: string,
): PartitionProblem {
  return Object.freeze({ code, severity, message, hint: partitionManagerErrorCodes[code].remedy })
}
