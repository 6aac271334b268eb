import type { Clock } from '@shardwright/core'
import type { BudgetShare } from '../pool/budget-share.ts'
import { ConnectionBudget } from '../pool/connection-budget.ts'
import { poolError } from '../pool/pool-error.ts'
import type { RunOptions, SpanningLimit } from '../pool/shard-pool.ts'

/**
 * How many transactions across shards a process has open: each may need a session of every shard, and more of them than
 * there are sessions would wait for each other's.
 */
export class Admission {
  readonly #line: BudgetShare
  readonly #limit: SpanningLimit
  readonly #clock: Clock

  constructor(limit: SpanningLimit, clock: Clock) {
    const refusal = (waitedMs: number) =>
      poolError(
        'POOL_TIMEOUT',
        `All ${limit.transactions} transactions across shards of this process were in use for ${waitedMs} ms.`,
        {
          hint: 'Raise the size of the pools, or look for transactions that are never ended.',
          details: { sent: false },
        },
      )
    this.#line = new ConnectionBudget(limit.transactions, clock, refusal).share()
    this.#limit = limit
    this.#clock = clock
  }

  /**
   * Call the result when the transaction is over.
   * @throws ConnectionError POOL_TIMEOUT
   */
  async enter({ signal, deadline }: RunOptions = {}): Promise<() => void> {
    const left = deadline === undefined ? Number.POSITIVE_INFINITY : deadline - this.#clock.monotonicMs()
    const waitMs = Math.max(0, Math.min(left, this.#limit.acquireTimeoutMs))
    return (await this.#line.enter(waitMs, signal)).leave
  }
}

/** One transaction's place among those that are open. */
export class Turn {
  readonly #admission: Admission
  #coming: Promise<() => void> | undefined

  constructor(admission: Admission) {
    this.#admission = admission
  }

  /** @throws ConnectionError POOL_TIMEOUT */
  async come(options?: RunOptions): Promise<void> {
    this.#coming ??= this.#admission.enter(options)
    await this.#coming
  }

  /** All sessions are given back: the next may begin. */
  leave(): void {
    this.#coming?.then((leave) => leave(), ignore)
  }
}

function ignore(): void {}
