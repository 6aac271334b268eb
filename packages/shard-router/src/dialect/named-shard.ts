import type { CompiledQuery, QueryResult } from 'kysely'
import type { ExecutionContext, RouterState } from '../execute/context.ts'
import { toQueryResult } from '../execute/execute-plan.ts'
import { streamPlan } from '../execute/stream-plan.ts'
import { refuseUnkeptState } from '../plan/session-use.ts'
import { leftBehind } from '../pool/session-effect.ts'
import type { RunOptions, Statement } from '../pool/shard-pool.ts'
import type { TransactionPool } from '../transaction/one-shard-transaction.ts'
import { RawSession } from './raw-session.ts'

/** What a connection is for: one statement, or as many as its caller likes; unknown where Kysely's own executor does not tell. */
export type ConnectionUse = 'single' | 'pinned' | 'unknown'

/**
 * The statements of one connection for a shard that was named, sent as they are. A connection that the caller keeps has
 * one session there, and so has raw text, which may use it in any way; a single statement of the query builder needs none.
 */
export class NamedShard {
  #use: ConnectionUse
  #session: RawSession | undefined

  constructor(use: ConnectionUse) {
    this.#use = use
  }

  pin(): void {
    this.#use = 'pinned'
  }

  async execute(
    query: CompiledQuery,
    shard: number,
    { state, transaction, run }: Pick<ExecutionContext, 'state' | 'transaction' | 'run'>,
  ): Promise<QueryResult<unknown>> {
    const statement = rawStatement(query)
    if (transaction) return toQueryResult(await transaction.execute(shard, statement, run))
    if (this.#use === 'single') refuseUnkeptState(query)
    return toQueryResult(await this.#run(query, statement, shard, state, run))
  }

  #run(query: CompiledQuery, statement: Statement, shard: number, state: RouterState, run: RunOptions) {
    const needsSession =
      this.#session !== undefined ||
      this.#use === 'pinned' ||
      query.query.kind === 'RawNode' ||
      leftBehind(query.sql, query.parameters) !== undefined
    return needsSession
      ? this.#sessionOn(shard, state).execute(statement, run)
      : state.pool.execute(shard, statement, run)
  }

  stream(
    query: CompiledQuery,
    shard: number,
    chunkSize: number,
    context: ExecutionContext,
  ): AsyncIterableIterator<QueryResult<unknown>> {
    const statement = rawStatement(query)
    if (context.transaction) return streamPlan.raw(shard, statement, chunkSize, context)
    if (this.#use === 'single') refuseUnkeptState(query)
    const leases = this.#use === 'single' ? undefined : this.#sessionOn(shard, context.state).leases
    return streamPlan.raw(shard, statement, chunkSize, { ...context, leases })
  }

  /** Where a transaction of the connection gets its session, when that is not any of the pool. */
  leasesFor(shard: () => number | undefined, state: RouterState): TransactionPool | undefined {
    const named = this.#use === 'pinned' ? shard() : undefined
    return named === undefined ? this.#session?.leases : this.#sessionOn(named, state).leases
  }

  /** Resolves when what statements have left is gone: a lock is free then. */
  release(): Promise<void> | undefined {
    return this.#session?.release()
  }

  #sessionOn(shard: number, state: RouterState): RawSession {
    this.#session ??= new RawSession(state, shard, this.#use === 'pinned')
    return this.#session
  }
}

function rawStatement({ sql, parameters }: CompiledQuery): Statement {
  return { sql, parameters, access: 'write', rows: 'objects' }
}
