import type { CommitToken } from '@shardwright/core'
import type { Kysely } from 'kysely'
import type { EntryOptions } from '../flow/entry-options.ts'

/** A Kysely of any database. */
export type AnyKysely = Pick<Kysely<never>, 'isTransaction' | 'getExecutor'>

/** When an invalidation takes effect. */
export interface InvalidateOptions {
  /**
   * The transaction whose commit the invalidation belongs to: it is sent after the commit, and never when the
   * transaction is rolled back.
   */
  readonly within?: AnyKysely | undefined
  /** How far the shards' logs had come at the commit; with `within` the transaction tells. */
  readonly tokens?: readonly CommitToken[]
}

/** `late`: not confirmed within the budget, tried again in the background. `at-commit`: it waits for the commit. */
export type InvalidateOutcome = 'done' | 'late' | 'at-commit'

/** What `peek` tells. */
export interface PeekedEntry {
  readonly value: unknown
  readonly tier: string
  readonly freshUntil: Date
  readonly staleUntil: Date
}

/** Per-call options: those of the entry, and the tags that only an absent value carries. */
export interface ReadOptions extends EntryOptions {
  readonly absentTags?: readonly string[]
}
