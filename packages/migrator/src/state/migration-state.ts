/**
 * - `applied`: done, whole.
 * - `failed`: the last attempt failed; nothing of it stands when the migration is transactional.
 * - `running`, `reverting`: outside a transaction and not finished: at work now, or killed.
 * - `revert-failed`: a `down` outside a transaction failed half-way.
 */
export type MigrationState = 'applied' | 'failed' | 'running' | 'reverting' | 'revert-failed'

/** One row of a shard's state. */
export interface MigrationRow {
  readonly name: string
  readonly state: MigrationState
  readonly checksum: string
  readonly transactional: boolean
  /** ISO 8601, the server's clock. */
  readonly startedAt: string
  readonly finishedAt: string | null
  readonly durationMs: number | null
  readonly toolVersion: string
  readonly appliedBy: string
  readonly error: string | null
  /** Statements that an attempt outside a transaction has completed. */
  readonly journal: readonly JournalEntry[]
}

export interface JournalEntry {
  /** sha256 of text and parameters, shortened. */
  readonly hash: string
  readonly done: boolean
  /** Rows affected, to answer a repeated run. */
  readonly affected: number | null
}
