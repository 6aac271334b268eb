import type { PgField } from '@shardwright/core'

/** The rows of one shard as wire text, with their columns. */
export interface PartialResult {
  readonly shard: number
  readonly fields: readonly PgField[]
  readonly rows: readonly (readonly (string | null)[])[]
}
