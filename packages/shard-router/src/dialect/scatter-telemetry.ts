import type { TelemetryAttributes } from '@shardwright/core'
import type { RouterState } from '../execute/context.ts'
import type { PreparedPlan } from '../plan/prepared-plan.ts'
import { statementSummary } from '../pool/statement-summary.ts'

/** The same objects each time, so that adapters can keep a series by identity. */
const attributesOf = new WeakMap<PreparedPlan, TelemetryAttributes>()

/** Tells telemetry that a statement without a key went to so many shards. */
export function recordScatter(plan: PreparedPlan, sql: string, shards: number, { telemetry }: RouterState): void {
  let attributes = attributesOf.get(plan)
  if (attributes === undefined) {
    attributes = Object.freeze({ statement: statementSummary(sql).summary })
    attributesOf.set(plan, attributes)
  }
  telemetry.record('shardwright.router.scatter_shards', shards, attributes)
}
