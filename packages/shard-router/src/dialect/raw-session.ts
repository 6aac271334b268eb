import type { Telemetry } from '@shardwright/core'
import type { RouterState } from '../execute/context.ts'
import type { AnyShardPool, Lease, RunOptions, Statement, StatementResult } from '../pool/shard-pool.ts'
import type { TransactionPool } from '../transaction/one-shard-transaction.ts'
import { addToken } from '../transaction/token-after-commit.ts'
import { BorrowedLease } from './borrowed-lease.ts'

/**
 * One client on one shard for the statements of a connection: what they set in the session stays among them. `keeps`: for
 * more than one statement.
 */
export class RawSession {
  readonly #pool: AnyShardPool
  readonly #telemetry: Telemetry
  readonly #shard: number
  readonly #keeps: boolean
  #lease: Promise<Lease> | undefined
  #held = false
  #broken = false

  constructor({ pool, telemetry }: Pick<RouterState, 'pool' | 'telemetry'>, shard: number, keeps: boolean) {
    this.#pool = pool
    this.#telemetry = telemetry
    this.#shard = shard
    this.#keeps = keeps
  }

  async execute(statement: Statement, options: RunOptions): Promise<StatementResult> {
    const result = await (await this.#open(options)).execute(statement, options)
    await addToken(this.#pool, this.#telemetry, this.#shard)
    return result
  }

  /** Transactions and streams on this connection run on the same client, and leave it here when they are over. */
  get leases(): TransactionPool {
    const pool = this.#pool
    return {
      topology: pool.topology,
      commitToken: (shard) => pool.commitToken(shard),
      lease: async (_shard, options) =>
        new BorrowedLease(await this.#open(options ?? {}), () => {
          this.#broken = true
        }),
    }
  }

  #open(options: RunOptions): Promise<Lease> {
    this.#lease ??= this.#acquire(options)
    return this.#lease
  }

  async #acquire(options: RunOptions): Promise<Lease> {
    try {
      const lease = await this.#pool.lease(this.#shard, { ...options, access: 'write', keeps: this.#keeps })
      this.#held = true
      return lease
    } catch (error) {
      // For the next statement the session is asked for anew.
      this.#lease = undefined
      throw error
    }
  }

  /** Back to the pool, which takes away what statements have left in it. */
  release(): Promise<void> | undefined {
    const lease = this.#lease
    this.#lease = undefined
    const released = lease?.then(
      (held) => (this.#broken ? held.destroy() : held.release()),
      // The lease was refused: the statement has said so.
      () => undefined,
    )
    // Nobody waits for a session that nobody wants any more.
    return this.#held ? released : undefined
  }
}
