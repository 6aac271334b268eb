import type { Telemetry } from '@shardwright/core'
import type { RouterState } from '../execute/context.ts'
import type { AnyShardPool, Lease, RunOptions, Statement, StatementResult } from '../pool/shard-pool.ts'
import type { TransactionPool } from '../transaction/one-shard-transaction.ts'
import { addToken } from '../transaction/token-after-commit.ts'
import { BorrowedLease } from './borrowed-lease.ts'

// What leaves no trace in the session when it is over.
const harmless =
  /^\s*(select|insert|update|delete|merge|with|values|explain|create|alter|drop|truncate|comment|analyze|vacuum|refresh|table)\b/i
const traces = /\b(set_config|pg_advisory_lock|pg_try_advisory_lock|listen|temp|temporary|prepare|set)\b/i

/** One client for the raw statements of a connection: what they set in the session stays among them. */
export class RawSession {
  readonly #pool: AnyShardPool
  readonly #telemetry: Telemetry
  readonly #shard: number
  #lease: Promise<Lease> | undefined
  #marked = false

  constructor({ pool, telemetry }: Pick<RouterState, 'pool' | 'telemetry'>, shard: number) {
    this.#pool = pool
    this.#telemetry = telemetry
    this.#shard = shard
  }

  async execute(statement: Statement, options: RunOptions): Promise<StatementResult> {
    this.#marked ||= !harmless.test(statement.sql) || traces.test(statement.sql)
    const result = await (await this.#open(options)).execute(statement, options)
    await addToken(this.#pool, this.#telemetry, this.#shard)
    return result
  }

  /** A transaction on this connection runs on the same client, and leaves it here when it is over. */
  get transactionPool(): TransactionPool {
    const pool = this.#pool
    return {
      topology: pool.topology,
      commitToken: (shard) => pool.commitToken(shard),
      lease: async (_shard, options) =>
        new BorrowedLease(await this.#open(options ?? {}), () => {
          this.#marked = true
        }),
    }
  }

  #open(options: RunOptions): Promise<Lease> {
    this.#lease ??= this.#pool.lease(this.#shard, { ...options, access: 'write' })
    return this.#lease
  }

  /** Back to the pool, or closed when the session may have been changed. */
  release(): void {
    void this.#lease?.then(
      (lease) => (this.#marked ? lease.destroy() : lease.release()),
      // The lease was refused: the statement has said so.
      () => undefined,
    )
    this.#lease = undefined
  }
}
