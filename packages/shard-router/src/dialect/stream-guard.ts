import { AsyncLocalStorage } from 'node:async_hooks'
import { type CompiledQuery, PostgresQueryCompiler, type QueryId, type RootOperationNode } from 'kysely'
import { poolError } from '../pool/pool-error.ts'
import type { LogicalConnection } from './logical-connection.ts'

/**
 * Kysely's own executor keeps the connection of a transaction for a stream until that is over: a statement that the
 * stream's reader awaits in between would wait for ever, without anybody to tell. All that is asked before it waits is the
 * compiler, which refuses it.
 */
export class StreamGuard {
  readonly #transaction = new AsyncLocalStorage<LogicalConnection>()

  /** To be called when Kysely begins a transaction: the function that it runs next is this connection's. */
  begins(connection: LogicalConnection): void {
    this.#transaction.enterWith(connection)
  }

  /** @throws ConnectionError STREAM_OPEN */
  check(): void {
    if (this.#transaction.getStore()?.isRead !== true || !isOfTransaction()) return
    throw poolError(
      'STREAM_OPEN',
      "A stream of this transaction is open, and Kysely's own executor waits for its end.",
      {
        hint: 'Read the stream to its end first, or use router.db, whose transactions run statements beside a stream.',
      },
    )
  }
}

/** The executor of a transaction asks, and not that of the Kysely around it, which takes another connection. */
function isOfTransaction(): boolean {
  return /\bNotCommittedOrRolledBackAssertingExecutor\b/.test(new Error().stack ?? '')
}

/** Kysely's compiler behind the guard. */
export class GuardedCompiler extends PostgresQueryCompiler {
  readonly #guard: StreamGuard

  constructor(guard: StreamGuard) {
    super()
    this.#guard = guard
  }

  override compileQuery(node: RootOperationNode, queryId: QueryId): CompiledQuery {
    this.#guard.check()
    return super.compileQuery(node, queryId)
  }
}
