import type { Outcome } from './decision-table.ts'

/** Why a prepared transaction was left as it is. */
export type LeftReason =
  /** The decider, or a shard that recovery needs, does not answer. */
  | 'decider unreachable'
  /** The decider's server was restored or failed over since, and may have lost the decision. */
  | 'another incarnation'
  /** The fleet has no shard of the decider's name. */
  | 'unknown decider'
  /** The decider was deciding, or another session was finishing it. */
  | 'busy'
  /** The server refused: see `error`. */
  | 'failed'

/** One prepared part that recovery has finished. */
export interface RecoveredPart {
  readonly shard: string
  readonly gid: string
  readonly outcome: Outcome
}

/** A prepared transaction that a recovery left as it was, and why. */
export interface LeftPart {
  readonly shard: string
  readonly gid: string
  readonly reason: LeftReason
  readonly ageMs: number
  readonly error?: unknown
}

/** What one run of recovery found and did. */
export interface RecoveryReport {
  readonly recovered: readonly RecoveredPart[]
  /** In doubt still. */
  readonly left: readonly LeftPart[]
  /** Younger than `graceMs`: not looked at. */
  readonly young: number
  /** Shards that could not be asked. */
  readonly unreachable: readonly { readonly shard: string; readonly error: unknown }[]
  /** Decision rows that nobody needs any more, removed. */
  readonly forgotten: number
}
