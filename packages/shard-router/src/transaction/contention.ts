import type { Clock } from '@shardwright/core'
import type { AnyShardPool, RunOptions, Statement } from '../pool/shard-pool.ts'
import type { RouterTransaction } from './router-transaction.ts'
import { TransactionError } from './transaction-error.ts'

const lastsMs = 1_000

/**
 * Statements that write many shards at once meet others of their kind in any order, so that each may hold what the other
 * wants. They are given a moment to come through side by side; when they do not, they are done again one after the other.
 */
export class Contention {
  readonly #clock: Clock
  readonly #until = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** True when statements on these tables got into each other's way a moment ago. */
  isExpected(tables: string): boolean {
    const until = this.#until.get(tables)
    if (until === undefined) return false
    if (this.#clock.monotonicMs() < until) return true
    this.#until.delete(tables)
    return false
  }

  note(tables: string): void {
    this.#until.set(tables, this.#clock.monotonicMs() + lastsMs)
  }
}

/** True when a statement that was in a hurry gave way to another, everywhere. */
export function gaveWay(error: unknown): boolean {
  if (!(error instanceof TransactionError)) return false
  return error.code === 'LOCK_TIMEOUT_ACROSS_SHARDS' || error.code === 'DEADLOCK_ACROSS_SHARDS'
}

// The columns are computed in their order; OFFSET keeps the inner SELECT before them.
const lineSql = `select pg_catalog.set_config('lock_timeout', $1, true),
 pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended($2, 0)), pg_catalog.set_config('lock_timeout', before, true)
 from (select pg_catalog.current_setting('lock_timeout') as before offset 0) as settings`

/** The shard where they stand in line: the same for all processes. */
const lineShard = 0

/**
 * Waits until this transaction is the first of the line for these tables, as long as one would wait for a session.
 * @throws TransactionError LOCK_TIMEOUT_ACROSS_SHARDS
 */
export async function standInLine(
  transaction: RouterTransaction,
  { topology, spanningLimit }: Pick<AnyShardPool, 'topology' | 'spanningLimit'>,
  tables: string,
  run: RunOptions,
): Promise<void> {
  const statement: Statement = {
    sql: lineSql,
    parameters: [`${Math.ceil(spanningLimit.acquireTimeoutMs)}ms`, `shardwright line ${topology.id} ${tables}`],
    access: 'read',
    rows: 'facts',
  }
  await transaction.execute(lineShard, statement, run)
}
