import type { ExecutionContext } from '../../execute/context.ts'
import { callersStatement, withMoment } from '../../execute/execute-plan.ts'
import { bindSources } from '../../execute/merge-select.ts'
import type { Route } from '../../execute/route.ts'
import { bindClock } from '../../plan/clock.ts'
import { compileTemplate, type SqlTemplate } from '../../plan/compile.ts'
import { refuseVolatile } from '../../plan/plan-multi-shard.ts'
import type { PreparedPlan } from '../../plan/prepared-plan.ts'
import type { Statement } from '../../pool/shard-pool.ts'
import type { ClusterMap } from './cluster-map.ts'
import { withConflictValues } from './conflict-values.ts'
import { countedInsert } from './insert-count.ts'
import { InsertOrder } from './insert-order.ts'
import { isSpread } from './route-on-cluster.ts'
import { isValuesInsert } from './spread-forms.ts'

/** The text and the values of statements: the caller's, but where Citus would read them otherwise than one PostgreSQL. */
export class ClusterStatements {
  readonly #map: ClusterMap
  readonly #templates = new WeakMap<PreparedPlan, SqlTemplate>()
  readonly #counted = new WeakMap<PreparedPlan, { readonly template: SqlTemplate | undefined }>()
  readonly #orders = new WeakMap<PreparedPlan, { readonly order: InsertOrder | undefined }>()

  constructor(map: ClusterMap) {
    this.#map = map
  }

  /** The caller's statement. Where it runs on other nodes than its session's, `now()` would be another on each: bound then. */
  async of(
    plan: PreparedPlan,
    route: Route,
    sql: string,
    server: number,
    context: ExecutionContext,
  ): Promise<Statement> {
    const several = isSpread(route)
    const isValues = isValuesInsert(plan)
    if (several && plan.accesses.some((access) => access.kind === 'sharded') && !isValues) refuseVolatile(plan)
    const inserted = plan.kind === 'insert' && !isValues ? await this.#insertedSelect(plan, context) : undefined
    if (inserted) return inserted
    const remote = several || (route.place !== undefined && this.#map.serverOf(route.place) !== server)
    if (!remote || plan.traits.clock.length === 0) return callersStatement(plan, sql, context)
    const template = this.#clockTemplate(plan)
    const timed = await withMoment(plan, context)
    return { sql: template.sql, parameters: bindSources(template, timed), access: plan.access, rows: 'objects' }
  }

  /** Set for an INSERT whose rows have to be put in their order. */
  orderOf(plan: PreparedPlan): InsertOrder | undefined {
    let known = this.#orders.get(plan)
    if (known === undefined) {
      known = { order: InsertOrder.of(plan) }
      this.#orders.set(plan, known)
    }
    return known.order
  }

  /** An INSERT ... SELECT that needs another text than the caller's: values of its own, or a count. */
  async #insertedSelect(plan: PreparedPlan, caller: ExecutionContext): Promise<Statement | undefined> {
    const context = await withMoment(plan, caller)
    const root = withConflictValues({ ...plan, root: bindClock(plan.root) }, context.call)
    const counted = root ? countedInsert({ ...plan, root }) : this.#countedOf(plan)
    const template = counted ?? (root && compileTemplate(root, plan.parameters))
    return template && writing(template, counted !== undefined, context)
  }

  #countedOf(plan: PreparedPlan): SqlTemplate | undefined {
    let known = this.#counted.get(plan)
    if (known === undefined) {
      known = { template: countedInsert(plan) }
      this.#counted.set(plan, known)
    }
    return known.template
  }

  #clockTemplate(plan: PreparedPlan): SqlTemplate {
    let template = this.#templates.get(plan)
    if (template === undefined) {
      template = compileTemplate(bindClock(plan.root), plan.parameters)
      this.#templates.set(plan, template)
    }
    return template
  }
}

/** A write; `counted`: what it returns is counted and not kept. */
export function writing(template: SqlTemplate, counted: boolean, context: ExecutionContext): Statement {
  const rows = counted ? ({ rows: 'text', keepRows: 0 } as const) : ({ rows: 'objects' } as const)
  return { sql: template.sql, parameters: bindSources(template, context), access: 'write', ...rows }
}
