import type { PgClient } from '@shardwright/core'
import type { Lease, RunOptions, Statement, StatementResult } from '../pool/shard-pool.ts'

/** A lease that somebody else gives back: `release` leaves it where it is, `destroy` says that it must be closed. */
export class BorrowedLease implements Lease {
  readonly #lease: Lease
  readonly #broken: () => void

  constructor(lease: Lease, broken: () => void) {
    this.#lease = lease
    this.#broken = broken
  }

  get shard(): number {
    return this.#lease.shard
  }

  get client(): PgClient {
    return this.#lease.client
  }

  get session(): Lease['session'] {
    return this.#lease.session
  }

  get processId(): number {
    return this.#lease.processId
  }

  execute(statement: Statement, options?: RunOptions): Promise<StatementResult> {
    return this.#lease.execute(statement, options)
  }

  stream(statement: Statement, chunkSize: number, options?: RunOptions): AsyncIterableIterator<StatementResult> {
    return this.#lease.stream(statement, chunkSize, options)
  }

  cancel(): Promise<void> {
    return this.#lease.cancel()
  }

  kill(): Promise<void> {
    return this.#lease.kill()
  }

  release(): undefined {}

  destroy(): void {
    this.#broken()
  }
}
