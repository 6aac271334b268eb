import type { Telemetry } from '@shardwright/core'
import type { SelectQueryNode } from 'kysely'
import { type ExecutionContext, runOn } from '../../execute/context.ts'
import { bindSources } from '../../execute/merge-select.ts'
import type { Route } from '../../execute/route.ts'
import { compileTemplate, type SqlTemplate } from '../../plan/compile.ts'
import type { PreparedPlan } from '../../plan/prepared-plan.ts'
import type { StatementResult } from '../../pool/shard-pool.ts'
import { sqlStateOf } from '../../pool/sql-state.ts'
import { type ClusterMap, coordinator } from './cluster-map.ts'
import { ShardNames } from './shard-names.ts'
import { isShardRead, shardRead } from './shard-read-form.ts'

/**
 * Reads rows from the shard's own table, past Citus' planner, which takes longer than the read. A statement asks the node's
 * metadata in its own snapshot whether the shard is there, so it sees what Citus would have seen, or nothing; then Citus is
 * asked.
 */
export class ShardReads {
  readonly #map: ClusterMap
  readonly #names: ShardNames
  /** By plan, then by the ordinal of the shard; `undefined` for a plan that Citus has to see. */
  readonly #templates = new WeakMap<PreparedPlan, Map<number, SqlTemplate> | undefined>()
  #made = 0

  constructor(map: ClusterMap, telemetry: Telemetry) {
    this.#map = map
    this.#names = new ShardNames(telemetry)
  }

  /** True when statements of the plan may be read so. */
  reads(plan: PreparedPlan): boolean {
    return this.#templatesOf(plan) !== undefined
  }

  /** The rows; `undefined` where Citus has to be asked. */
  async run(
    plan: PreparedPlan,
    route: Route,
    server: number,
    context: ExecutionContext,
  ): Promise<StatementResult | undefined> {
    if (context.transaction || context.measure || server === coordinator) return undefined
    const template = this.#templateOf(plan, route, context)
    if (template === undefined) return undefined
    const parameters = bindSources(template, context)
    try {
      const statement = { sql: template.sql, parameters, access: 'read', rows: 'objects' } as const
      const result = await runOn(context, server, statement, 'part')
      return result.rowCount > 0 ? result : undefined
    } catch (error) {
      // What the statement itself does wrong is told in the words of the caller's tables.
      if (!isOfStatement(error)) throw error
      if (sqlStateOf(error)?.startsWith('42')) this.#templates.set(plan, undefined)
      return undefined
    }
  }

  #templateOf(plan: PreparedPlan, { place }: Route, { state }: ExecutionContext): SqlTemplate | undefined {
    const templates = this.#templatesOf(plan)
    if (place === undefined || templates === undefined) return undefined
    const known = templates.get(place.ordinal)
    if (known || this.#made >= maxTemplates) return known
    const [access] = plan.accesses
    const { min, groupIds } = place.group.shards[place.ordinal] ?? {}
    const groupId = groupIds?.[0]
    if (access?.kind !== 'sharded' || min === undefined || groupId === undefined) return undefined
    const named = this.#names.find(access.table, min, state.pool)
    if (named === undefined) return undefined
    const shard = { schema: access.table.schema, groupId, ...named }
    const template = compileTemplate(shardRead(plan.root as SelectQueryNode, shard), plan.parameters)
    templates.set(place.ordinal, template)
    this.#made++
    return template
  }

  #templatesOf(plan: PreparedPlan): Map<number, SqlTemplate> | undefined {
    if (!this.#map.readsShards) return undefined
    if (!this.#templates.has(plan)) this.#templates.set(plan, isShardRead(plan) ? new Map() : undefined)
    return this.#templates.get(plan)
  }
}

// Each is a text, and a prepared statement in each session that uses it: half of what a session keeps.
const maxTemplates = 2_000

/** False for what has to do with the session, its time or the server. */
function isOfStatement(error: unknown): boolean {
  const state = sqlStateOf(error)
  return state !== undefined && !/^(57|08|53)/.test(state)
}
