import type { QueryResult } from 'kysely'
import type { ExecutionContext, RouterState } from '../execute/context.ts'
import type { Route } from '../execute/route.ts'
import type { Explanation } from '../explain/explanation.ts'
import type { KeyPlaces } from '../plan/key/evaluate-keys.ts'
import type { PreparedPlan } from '../plan/prepared-plan.ts'
import type { CallValues } from '../plan/source.ts'
import type { TransactionPool } from '../transaction/one-shard-transaction.ts'
import type { RouterTransaction, TransactionOptions } from '../transaction/router-transaction.ts'

/**
 * Where keys are, and who runs a statement that needs several servers: shards of PostgreSQL with merging of our own, or a
 * Citus cluster. Servers are named by their index in `RouterState.topology`.
 */
export interface Engine extends KeyPlaces {
  /** The servers of a statement, for the values of one call. */
  route(plan: PreparedPlan, call: CallValues, state: RouterState): Route
  /** False for a server whose work another can do while it is away. */
  needs(server: number): boolean
  /** How many servers work on a statement that is routed so. */
  widthOf(route: Route): number
  /** Runs a routed statement; `sql` is the caller's text. */
  execute(plan: PreparedPlan, route: Route, sql: string, context: ExecutionContext): Promise<QueryResult<unknown>>
  stream(
    plan: PreparedPlan,
    route: Route,
    sql: string,
    chunkSize: number,
    context: ExecutionContext,
  ): AsyncIterableIterator<QueryResult<unknown>>
  /** The plan as it is sent to the server of its route; `asks`: a server may be asked whether it runs it so. */
  asSent(plan: PreparedPlan, route: Route, sql: string, context: ExecutionContext, asks: boolean): Promise<PreparedPlan>
  /** What an explanation says in other words than for shards of PostgreSQL. */
  describe(plan: PreparedPlan, route: Route, state: RouterState): Promise<Partial<Explanation>>
  /** A transaction that opens nothing until its first statement. */
  transaction(state: RouterState, options: TransactionOptions, pool: TransactionPool): RouterTransaction
  /** A statement that failed, in the words of the router; any other error as it is. */
  refusalOf(error: unknown): unknown
}
