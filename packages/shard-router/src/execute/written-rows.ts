import type { PreparedPlan } from '../plan/prepared-plan.ts'
import type { StatementResult } from '../pool/shard-pool.ts'
import type { ExecutionContext } from './context.ts'
import type { Route } from './route.ts'

/** What a statement gave, and a shard that knows the types of its columns by their oid. */
export interface WrittenRows {
  readonly result: StatementResult
  readonly shard: number
}

/** Runs a planned statement on its shards. */
export type RunMany = (
  plan: PreparedPlan,
  route: Route,
  context: ExecutionContext,
  rows: 'objects' | 'text',
) => Promise<WrittenRows>

export function writtenBy(shard: number, result: StatementResult): WrittenRows {
  return { shard, result }
}
