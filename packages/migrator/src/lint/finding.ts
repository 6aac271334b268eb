/** The table lock that a statement takes, as pg_locks names it. */
export type LockMode =
  | 'AccessExclusiveLock'
  | 'ExclusiveLock'
  | 'ShareRowExclusiveLock'
  | 'ShareLock'
  | 'ShareUpdateExclusiveLock'

/** What a rule has to say about a statement. */
export interface Problem {
  readonly severity: 'error' | 'warning'
  readonly message: string
  /** The safe way. */
  readonly remedy: string
  /** `schema.table`, as far as the statement tells. */
  readonly table?: string | undefined
  /** The lock on that table while the statement runs. */
  readonly lock?: LockMode | undefined
  /** True when the table is written anew under that lock. */
  readonly rewrites?: boolean | undefined
}

/** A problem and where it stands. */
export interface Finding extends Problem {
  readonly rule: string
  readonly migration: string
  /** From 1. */
  readonly statement: number
  /** The statement, shortened to one line. */
  readonly sql: string
}
