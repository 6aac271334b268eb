import type { CommitToken } from '@shardwright/core'

/** What a load is told, and what it can tell. */
export interface LoadContext {
  /**
   * How far the source must have come: the tokens of the last invalidation. They are in the read context of the load
   * already, so a router chooses its replica by them.
   */
  readonly requires: readonly CommitToken[]
  /** Reports where the value was read; one that is older than `requires` is handed out but not stored. */
  readAt(token: CommitToken): void
  /** The value is handed out but not stored. */
  doNotKeep(): void
}

/** Gives the value of one entry. */
export type Load<T> = (context: LoadContext) => Promise<T> | T
