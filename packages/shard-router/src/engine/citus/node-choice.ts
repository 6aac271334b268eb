import type { Route } from '../../execute/route.ts'
import type { PreparedPlan } from '../../plan/prepared-plan.ts'
import { refuse } from '../../plan/refuse.ts'
import type { RouterTransaction } from '../../transaction/router-transaction.ts'
import type { ClusterContext } from './cluster-context.ts'
import { type ClusterMap, coordinator } from './cluster-map.ts'
import { ClusterTransaction } from './cluster-transaction.ts'
import type { CoordinatorNeeds } from './coordinator-needs.ts'

/** The node that a statement is sent to: the one that has its shard, where that can be asked, else the coordinator. */
export class NodeChoice {
  readonly #map: ClusterMap
  readonly #needs: CoordinatorNeeds
  readonly #context: ClusterContext
  #turn = 0

  constructor(map: ClusterMap, needs: CoordinatorNeeds, context: ClusterContext) {
    this.#map = map
    this.#needs = needs
    this.#context = context
  }

  /** A route whose node may not be asked for this leads to the coordinator. */
  narrow(plan: PreparedPlan, route: Route): Route {
    const [server] = route.shards
    if (server === undefined || server === coordinator) return route
    const doubted = route.place !== undefined && this.#context.doubts.has(route.place)
    const asked = this.#isDirect(server) && !doubted && this.#needs.of(plan) === undefined
    return asked ? route : { ...route, shards: [coordinator] }
  }

  /** In the transaction around it or by itself. @throws RoutingError CITUS_COORDINATOR_REQUIRED */
  serverOf(plan: PreparedPlan, route: Route, transaction: RouterTransaction | undefined): number {
    if (!(transaction instanceof ClusterTransaction)) return route.shards[0] ?? this.#anyServer(plan)
    const [joined] = transaction.shards
    if (joined === undefined) return transaction.serverFor(this.#firstServer(plan, route))
    const need = this.#needs.of(plan)
    if (need?.strict && joined !== coordinator) refuseOnWorker(need.reason)
    return transaction.serverFor(joined)
  }

  /** A transaction whose tables have sequences begins on the coordinator: a later INSERT may need them. */
  #firstServer(plan: PreparedPlan, route: Route): number {
    const server = route.shards[0] ?? coordinator
    const needed = plan.accesses.some(
      (access) => access.kind === 'sharded' && this.#needs.sequenceOfFamily(access.table.family) !== undefined,
    )
    return needed ? coordinator : server
  }

  /** Every node with metadata can answer; reads go to each in turn where the topology allows it. */
  #anyServer(plan: PreparedPlan): number {
    if (this.#context.queryFrom === 'coordinator' || plan.access === 'write') return coordinator
    const { shards } = this.#map.servers
    for (let tried = 0; tried < shards.length; tried++) {
      this.#turn = (this.#turn + 1) % shards.length
      if (this.#isDirect(this.#turn)) return this.#turn
    }
    return coordinator
  }

  #isDirect(server: number): boolean {
    return server === coordinator || this.#context.health.isDirect(this.#map.servers.shards[server]?.id ?? '')
  }
}

function refuseOnWorker(reason: string): never {
  return refuse(
    'CITUS_COORDINATOR_REQUIRED',
    `The transaction is on a worker, and ${reason}.`,
    'Run this statement outside the transaction, or first in one; or give the row its value from the service (uuidv7).',
  )
}
