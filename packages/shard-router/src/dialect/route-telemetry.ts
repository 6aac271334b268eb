import type { Telemetry, TelemetryAttributes } from '@shardwright/core'
import { RoutingError } from '../errors/routing-error.ts'
import type { RouterState } from '../execute/context.ts'
import type { PreparedPlan } from '../plan/prepared-plan.ts'
import { statementSummary } from '../pool/statement-summary.ts'

/** How a statement went, in the words of `explain`. */
export type RouteKind = 'none' | 'one' | 'split' | 'fan-out' | 'broadcast'

const byKind = Object.freeze({
  none: Object.freeze({ route: 'none' }),
  one: Object.freeze({ route: 'one' }),
  split: Object.freeze({ route: 'split' }),
  'fan-out': Object.freeze({ route: 'fan-out' }),
  broadcast: Object.freeze({ route: 'broadcast' }),
} satisfies Record<RouteKind, TelemetryAttributes>)

export function routeKindOf(plan: PreparedPlan, shards: number): RouteKind {
  if (shards <= 1) return shards === 0 ? 'none' : 'one'
  if (plan.kind === 'select') return 'fan-out'
  return plan.kind === 'insert' && plan.accesses.some((access) => access.kind === 'sharded') ? 'split' : 'broadcast'
}

/** Tells telemetry how a statement goes, and of one without a key, to how many shards. */
export function recordRoute(
  plan: PreparedPlan,
  sql: string,
  shards: number,
  keyless: boolean,
  { telemetry }: RouterState,
): void {
  telemetry.count('shardwright.router.statements', 1, byKind[routeKindOf(plan, shards)])
  if (!keyless || shards <= 1) return
  let attributes = attributesOf.get(plan)
  if (attributes === undefined) {
    attributes = statementAttributes(telemetry, statementSummary(sql).summary)
    attributesOf.set(plan, attributes)
  }
  telemetry.record('shardwright.router.scatter_shards', shards, attributes)
}

/** Tells telemetry of a statement that was not sent. */
export function recordRefusal(error: unknown, telemetry: Telemetry): void {
  if (error instanceof RoutingError) telemetry.count('shardwright.router.refusals', 1, { code: error.code })
}

/** The same objects each time, so that adapters can keep a series by identity. */
const attributesOf = new WeakMap<PreparedPlan, TelemetryAttributes>()
const statementsOf = new WeakMap<Telemetry, Map<string, TelemetryAttributes>>()
const maxStatements = 200

function statementAttributes(telemetry: Telemetry, statement: string): TelemetryAttributes {
  const known = statementsOf.get(telemetry) ?? new Map<string, TelemetryAttributes>()
  statementsOf.set(telemetry, known)
  const name = known.size < maxStatements || known.has(statement) ? statement : 'other'
  const attributes = known.get(name) ?? Object.freeze({ statement: name })
  known.set(name, attributes)
  return attributes
}
