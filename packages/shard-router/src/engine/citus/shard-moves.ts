import type { QueryResult } from 'kysely'
import { type ExecutionContext, runOn } from '../../execute/context.ts'
import type { Route } from '../../execute/route.ts'
import { streamPlan } from '../../execute/stream-plan.ts'
import type { PreparedPlan } from '../../plan/prepared-plan.ts'
import { refuse } from '../../plan/refuse.ts'
import { isSafeAgain } from '../../pool/safe-again.ts'
import type { Statement, StatementResult } from '../../pool/shard-pool.ts'
import type { RouterTransaction } from '../../transaction/router-transaction.ts'
import type { ClusterContext } from './cluster-context.ts'
import { type ClusterMap, coordinator } from './cluster-map.ts'
import { ClusterTransaction } from './cluster-transaction.ts'
import { type CoordinatorNeeds, severalRows } from './coordinator-needs.ts'
import { latestPlacement, placementOf } from './placement-checks.ts'
import { isNodeGone, isShardGone } from './stale-metadata.ts'

/** Runs statements on nodes whose shards may move, be split, or go away with their node meanwhile. */
export class ShardMoves {
  readonly #map: ClusterMap
  readonly #needs: CoordinatorNeeds
  readonly #context: ClusterContext

  constructor(map: ClusterMap, needs: CoordinatorNeeds, context: ClusterContext) {
    this.#map = map
    this.#needs = needs
    this.#context = context
  }

  /** Runs a statement, and looks whether its shard was there; runs it again where it may have missed rows. */
  async run(
    plan: PreparedPlan,
    route: Route,
    server: number,
    statement: Statement,
    context: ExecutionContext,
  ): Promise<StatementResult> {
    const looks = context.transaction === undefined && this.#isLocal(route, server)
    const sent = looks ? { ...statement, followedBy: latestPlacement } : statement
    const result = await this.#attempt(route, server, sent, context)
    return await this.#checked(result, plan, route, server, statement, context)
  }

  /** Runs a statement that sees nothing of what a move could hide: rows that are inserted. */
  async insert(route: Route, server: number, statement: Statement, context: ExecutionContext) {
    return await this.#attempt(route, server, statement, context)
  }

  /** As `run`, in chunks; a stream that has begun is not sent again. */
  async *stream(
    route: Route,
    server: number,
    statement: Statement,
    chunkSize: number,
    context: ExecutionContext,
  ): AsyncIterableIterator<QueryResult<unknown>> {
    let begun = false
    try {
      for await (const chunk of streamPlan.raw(server, statement, chunkSize, context)) {
        if (!begun && !(await this.#isUpToDate(route, server, context))) throw new ShardMoved()
        begun = true
        yield chunk
      }
      if (!begun && !(await this.#isUpToDate(route, server, context))) throw new ShardMoved()
    } catch (error) {
      if (begun) throw error
      const next = this.#serverAfter(error, route, server, statement, context)
      yield* streamPlan.raw(next, statement, chunkSize, context)
    }
  }

  /**
   * True when the coordinator can do what a node failed to do: the node was not reached, or a shard left it meanwhile. A
   * statement that the server refused was rolled back as a whole, so that it may be sent again.
   */
  mayGoElsewhere(route: Route | undefined, server: number, error: unknown, access: 'read' | 'write'): boolean {
    if (isShardGone(error)) {
      this.#doubt(route)
      return true
    }
    if (server === coordinator || !isNodeGone(error)) return false
    this.#context.health.lost(this.#map.servers.shards[server]?.id ?? '', error)
    this.#context.suspect()
    return isSafeAgain(error, access)
  }

  async #attempt(
    route: Route,
    server: number,
    statement: Statement,
    context: ExecutionContext,
  ): Promise<StatementResult> {
    try {
      return await runOn(context, server, statement, 'part')
    } catch (error) {
      const next = this.#serverAfter(error, route, server, statement, context)
      const result = await runOn(context, next, statement, 'part')
      // Of a node that may be gone nothing can be asked; the coordinator's own shards are its own look.
      const look = result.followedBy ?? (await context.state.pool.execute(coordinator, latestPlacement))
      return { ...result, followedBy: look }
    }
  }

  /** Where a statement that failed runs again; throws what its caller is to hear otherwise. */
  #serverAfter(
    error: unknown,
    route: Route,
    server: number,
    { access }: Statement,
    { transaction }: ExecutionContext,
  ): number {
    if (transaction === undefined) {
      if (error instanceof ShardMoved || this.mayGoElsewhere(route, server, error, access)) return coordinator
      throw error
    }
    if (error instanceof ShardMoved) {
      if (keepsSnapshot(transaction)) refuseMoved()
      return server
    }
    if (!isShardGone(error)) throw error
    // The transaction has failed with it, and another one will find the shard.
    this.#doubt(route)
    refuseMoved()
  }

  /** False when placements have changed since the statement was routed, and its shard is read in the session itself. */
  async #isUpToDate(
    route: Route,
    server: number,
    { transaction, state }: ExecutionContext,
    look?: StatementResult,
  ): Promise<boolean> {
    if (!this.#isLocal(route, server)) return true
    const place = route.place ? `${route.place.group.colocationId} ${route.place.ordinal}` : ''
    const own = transaction instanceof ClusterTransaction ? transaction : undefined
    if (own?.holds(place)) return true
    const latest = own
      ? placementOf(await own.execute(server, latestPlacement))
      : look
        ? placementOf(look)
        : await this.#context.checks.latest(server, state.pool)
    if (route.place) own?.hold(place)
    if (!this.#map.isOlderThan(latest)) return true
    this.#context.suspect()
    return false
  }

  /** A statement that may have missed the rows of a shard that came meanwhile is run again; a write that found rows is done. */
  async #checked(
    result: StatementResult,
    plan: PreparedPlan,
    route: Route,
    server: number,
    statement: Statement,
    context: ExecutionContext,
  ): Promise<StatementResult> {
    if (await this.#isUpToDate(route, server, context, result.followedBy)) return result
    if (plan.traits.writes && result.rowCount > 0) {
      // Which of its rows it missed nobody knows: the transaction that it is in is not to be committed.
      if (context.transaction && this.#needs.of(plan) === severalRows) refuseMoved()
      return result
    }
    this.#context.telemetry.count('shardwright.citus.statements_run_again', 1)
    if (keepsSnapshot(context.transaction)) refuseMoved()
    return await runOn(context, context.transaction ? server : coordinator, statement, 'part')
  }

  #doubt(route: Route | undefined): void {
    this.#context.telemetry.count('shardwright.citus.shards_in_doubt', 1)
    if (route?.place) this.#context.doubts.add(route.place)
    this.#context.suspect()
  }

  /** True when the session's own node reads the shard. */
  #isLocal(route: Route, server: number): boolean {
    return route.place ? this.#map.serverOf(route.place) === server : server !== coordinator
  }
}

/** One snapshot for all statements of the transaction, not one for each. */
function keepsSnapshot(transaction: RouterTransaction | undefined): boolean {
  return transaction instanceof ClusterTransaction && transaction.keepsSnapshot
}

class ShardMoved extends Error {}

/** The snapshot is that of the whole transaction: another statement in it would see no more. */
function refuseMoved(): never {
  return refuse(
    'CITUS_SHARD_MOVED',
    'A shard was moved or split while the transaction ran, and its snapshot may not have the rows.',
    'Run the transaction again.',
    { sqlState: '40001' },
  )
}
