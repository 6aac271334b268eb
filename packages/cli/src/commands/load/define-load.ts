import type { DatabaseOf, Schema } from '@shardwright/core'
import type { Workload } from '@shardwright/monitor'
import type { ShardRouter } from '@shardwright/shard-router'
import type { Kysely } from 'kysely'

/** What every call of a workload file works with. */
export interface LoadContext<S extends Schema> {
  readonly router: ShardRouter<S>
  /** `router.db`. */
  readonly db: Kysely<DatabaseOf<S>>
}

/**
 * Types a workload file of `shardwright load`; returns the workload as it is.
 * @example
 * export default defineLoad<typeof schema>({
 *   operations: [
 *     { name: 'tasks of a user', weight: 9, run: ({ db }, { random }) =>
 *       db.selectFrom('tasks').selectAll().where('user_id', '=', userOf(random())).execute() },
 *   ],
 *   limits: { p99Ms: 50 },
 * })
 */
export function defineLoad<S extends Schema>(workload: Workload<LoadContext<S>>): Workload<LoadContext<S>> {
  return workload
}
