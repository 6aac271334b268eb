import type { Statement } from './shard-pool.ts'

const asks = /synchronous_commit/i

/**
 * Whether commits on a shard may be acknowledged before they are flushed, as far as the statements of this process say it.
 * What the role, the database or the server have, the server itself tells.
 */
export class CommitMode {
  #asynchronous = false

  get asynchronous(): boolean {
    return this.#asynchronous
  }

  /** A statement that names the setting may change it, for its transaction or for its session. */
  note({ sql, parameters }: Pick<Statement, 'sql' | 'parameters'>): void {
    this.#asynchronous ||= asks.test(sql) || parameters.includes('synchronous_commit')
  }
}
