export interface ShardwrightErrorInit {
  /** Stable, upper-case, listed in docs/errors.md. */
  readonly code: string
  /** What was asked and why it is not possible. Never carries a secret or a parameter value. */
  readonly message: string
  /** What to do instead, in one or two sentences. */
  readonly hint?: string | undefined
  /** Data for programs: names of tables, shards, columns. */
  readonly details?: Readonly<Record<string, unknown>> | undefined
  readonly cause?: unknown
}

/**
 * The base of every error that Shardwright throws; `code` is stable, `hint` says what to do.
 *
 * @example
 * try { await query.execute() } catch (error) {
 *   if (error instanceof ShardwrightError && error.code === 'SHARD_KEY_REQUIRED') console.log(error.hint)
 * }
 */
export class ShardwrightError extends Error {
  readonly code: string
  readonly hint: string | undefined
  readonly details: Readonly<Record<string, unknown>>

  constructor(init: ShardwrightErrorInit) {
    super(init.message, init.cause === undefined ? undefined : { cause: init.cause })
    this.name = new.target.name
    this.code = init.code
    this.hint = init.hint
    this.details = Object.freeze({ ...init.details })
  }
}
