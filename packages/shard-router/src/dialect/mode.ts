import type { FanOutOptions, MissingShard } from '../execute/context.ts'
import type { ReadPreference } from '../pool/shard-pool.ts'
import type { TransactionOptions } from '../transaction/router-transaction.ts'

/** Which door of the router a Kysely came through: it decides what its queries may do. */
export interface Mode {
  readonly kind: 'keyed' | 'fan-out' | 'confined' | 'shard'
  readonly fanOut?: FanOutOptions
  /** `confined`: the family and the key that no query may leave. */
  readonly confined?: { readonly family: string; readonly value: unknown }
  /** `shard`: every statement goes there as it is. */
  readonly shard?: string
  readonly reads?: ReadPreference
  readonly transaction?: TransactionOptions
  readonly missing?: MissingShard[]
}

export const keyedMode: Mode = Object.freeze({ kind: 'keyed' })
export const fanOutMode: Mode = Object.freeze({ kind: 'fan-out' })
