import type { TelemetryScope } from '@shardwright/core'
import type { RouterState } from '../execute/context.ts'
import type { PreparedPlan } from '../plan/prepared-plan.ts'
import { statementSummary } from '../pool/statement-summary.ts'
import { routeKindOf } from './route-telemetry.ts'

const system = { 'db.system.name': 'postgresql' }

/** The span that a statement's parts on several shards are in. */
export function statementScope(
  plan: PreparedPlan,
  sql: string,
  shards: number,
  { telemetry }: RouterState,
): TelemetryScope | undefined {
  if (telemetry.scope === undefined) return undefined
  const { operation, target, summary } = statementSummary(sql)
  return telemetry.scope(summary, {
    ...system,
    'db.operation.name': operation,
    'db.query.summary': summary,
    ...(target === '' ? {} : { 'db.collection.name': target }),
    'shardwright.route': routeKindOf(plan, shards),
    'shardwright.shards': shards,
  })
}

/** The span that a transaction's statements are in. */
export function transactionScope({ telemetry }: RouterState): TelemetryScope | undefined {
  return telemetry.scope?.('transaction', system)
}
