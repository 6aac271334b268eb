import type { PartitionErrorCode } from '../errors/error-codes.ts'
import type { CatalogState } from '../inspect/catalog-state.ts'
import type { PartitionPolicy } from '../policy/policy.ts'
import type { PartitionAction } from './action.ts'

/** Something to know that no action settles. An `error` makes the outcome `failed`. */
export interface PartitionProblem {
  readonly code: PartitionErrorCode
  readonly severity: 'info' | 'warning' | 'error'
  readonly message: string
  readonly hint: string
}

/** What one run would do to one table on one shard: a frozen value, bound to the state it was made from. */
export interface PartitionPlan {
  readonly shard: string
  readonly table: string
  readonly policy: PartitionPolicy
  /** Fingerprint of the catalog state; applying checks it again. */
  readonly fingerprint: string
  readonly actions: readonly PartitionAction[]
  readonly problems: readonly PartitionProblem[]
  readonly state: CatalogState
}

export interface PlanOptions {
  /** Removes more partitions than `maxDropsPerRun`. */
  readonly force?: boolean
  /** The caller's own clock, microseconds: when it and the server's differ by more than an hour, nothing is removed. */
  readonly callerNow?: bigint
}
