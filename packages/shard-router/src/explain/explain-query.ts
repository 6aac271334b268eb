import type { CompiledQuery } from 'kysely'
import { confine } from '../dialect/confine-plan.ts'
import type { Mode } from '../dialect/mode.ts'
import type { RouterCore } from '../dialect/router-core.ts'
import { statementContext } from '../dialect/statement-context.ts'
import type { ExecutionContext, RouterState } from '../execute/context.ts'
import { requireKey } from '../execute/execute-plan.ts'
import { splitRows } from '../execute/insert-rows.ts'
import { type Route, routeAccesses, shardIndex } from '../execute/route.ts'
import { entriesReader, resolveLookups } from '../lookup/resolve-lookups.ts'
import type { Access } from '../plan/access.ts'
import type { SqlTemplate } from '../plan/compile.ts'
import { bucketsOfKeys } from '../plan/key/evaluate-keys.ts'
import { keySetSignature } from '../plan/key/key-set.ts'
import type { MultiShardPlan } from '../plan/multi-shard.ts'
import type { PreparedPlan } from '../plan/prepared-plan.ts'
import { readableSql } from '../plan/readable-sql.ts'
import { refuseSessionUse } from '../plan/session-use.ts'
import type { CallValues } from '../plan/source.ts'
import { describePlan, partNames } from './describe-plan.ts'
import { estimatedRows } from './estimated-rows.ts'
import type { ExplainedKeys, ExplainedPart, Explanation, ShardStatement } from './explanation.ts'
import { explanationText } from './explanation-text.ts'
import { measureQuery } from './measure-query.ts'

export interface ExplainFigures {
  /** Asks each shard's planner for the rows it expects. */
  readonly costs: boolean
  /** Runs the query, and measures. */
  readonly analyze: boolean
}

type Draft = Omit<Explanation, 'toString'>

/** Plans a query, and asks the shards for figures as the caller wishes. @throws RoutingError as running it would */
export async function explainQuery(
  query: CompiledQuery,
  mode: Mode,
  core: RouterCore,
  figures: ExplainFigures,
): Promise<Explanation> {
  const state = await core.ready()
  try {
    return await explain(query, mode, core, figures, state)
  } catch (error) {
    throw state.engine.refusalOf(error)
  }
}

async function explain(
  query: CompiledQuery,
  mode: Mode,
  core: RouterCore,
  figures: ExplainFigures,
  state: RouterState,
): Promise<Explanation> {
  const planned = mode.kind === 'shard' ? undefined : await planOf(query, mode, core, state)
  const call = planned?.call ?? { parameters: query.parameters }
  const explainer = new Explainer(readingContext(mode, state, call), figures.costs)
  const draft = planned
    ? await explainer.explain(planned.plan, planned.route, planned.sql)
    : await explainer.named(shardIndex(state.topology, mode.shard ?? ''), query)
  const result = figures.analyze ? await measureQuery(draft, planned, explainer.context) : draft
  return Object.freeze({ ...result, toString: () => explanationText(result) })
}

async function planOf(query: CompiledQuery, mode: Mode, core: RouterCore, state: RouterState) {
  const {
    plan,
    sql,
    call: given,
  } = mode.confined
    ? confine(query, mode.confined, core, state)
    : { plan: core.plan(query, state), sql: query.sql, call: { parameters: query.parameters } satisfies CallValues }
  if (plan.traits.session.length > 0) refuseSessionUse(plan, query)
  const call = await withEntries(plan, given, state)
  const route = state.engine.route(plan, call, state)
  if (mode.kind !== 'fan-out') requireKey(plan, route, state.catalog)
  return { plan, sql, call, route }
}

/** Reads the entries of lookups, as the query would. */
async function withEntries(plan: PreparedPlan, call: CallValues, state: RouterState): Promise<CallValues> {
  if (plan.lookups.length === 0 || routeAccesses(plan.accesses, call, state).keyless.length === 0) return call
  return { ...call, lookups: await resolveLookups(plan.lookups, call, state, entriesReader(state, undefined)) }
}

/** An explanation writes nothing: a plan that would is not run. */
function readingContext(mode: Mode, state: RouterState, call: CallValues): ExecutionContext {
  const atomically = () => Promise.reject(new Error('an explanation writes nothing'))
  return { ...statementContext(mode, state, call, {}), transaction: undefined, atomically }
}

class Explainer {
  readonly context: ExecutionContext
  readonly #costs: boolean

  constructor(context: ExecutionContext, costs: boolean) {
    this.context = context
    this.#costs = costs
  }

  async named(shard: number, { sql, parameters }: CompiledQuery): Promise<Draft> {
    const template = { sql, sources: parameters.map((value) => ({ from: 'constant', value }) as const) }
    const statements = await this.#statements(template, [shard], new Map())
    return draft('one', [this.#id(shard)], 'router.onShard names the shard', { statements })
  }

  async explain(plan: PreparedPlan, route: Route, sql: string): Promise<Draft> {
    const { engine } = this.context.state
    const sent = await engine.asSent(plan, route, sql, this.context, this.#costs)
    const own = route.shards.length <= 1 ? await this.#one(sent, route, sql) : await this.#many(sent, route)
    return { ...own, ...(await engine.describe(plan, route, this.context.state)) }
  }

  async #one(plan: PreparedPlan, { shards }: Route, sql: string): Promise<Draft> {
    const sources = this.context.call.parameters.map((_, index) => ({ from: 'parameter', index }) as const)
    const template = plan.template ?? { sql, sources }
    const [index] = shards
    const statements = await this.#statements(template, [index ?? 0], new Map())
    const keys = this.#keys(plan.accesses)
    if (index !== undefined)
      return draft('one', [this.#id(index)], reasonForOne(plan, this.context.call), { keys, statements })
    const sharded = plan.accesses.some((access) => access.kind === 'sharded')
    return sharded
      ? draft('none', [], reasonForNone(plan, this.context.call), { keys, statements })
      : draft('one', [this.#id(0)], 'every shard has these tables: any one answers', { statements })
  }

  async #many(plan: PreparedPlan, route: Route): Promise<Draft> {
    const multi = plan.multi()
    const { kind, before, template, merge } = describePlan(multi)
    const names = partNames(multi)
    const reason =
      route.keyless.length > 0
        ? `no shard key for ${route.keyless.map((name) => `'${name}'`).join(', ')}: every shard is asked`
        : 'the shard keys are on several shards'
    const parts: ExplainedPart[] = []
    for (const own of before) {
      const { shards } = routeAccesses(own.accesses, this.context.call, this.context.state)
      const statements = own.template
        ? await this.#statements(own.template, shards.length > 0 ? shards : [0], names)
        : []
      parts.push({ part: own.part, statements, merge: own.merge })
    }
    const statements =
      multi.kind === 'split'
        ? await this.#split(plan, multi)
        : template
          ? await this.#statements(template, route.shards, names)
          : []
    const shards = route.shards.map((index) => this.#id(index))
    return draft(kind, shards, reason, { keys: this.#keys(plan.accesses), before: parts, statements, merge })
  }

  /** Each shard has rows of its own, so a statement of its own; it will insert exactly these. */
  async #split(plan: PreparedPlan, multi: MultiShardPlan & { kind: 'split' }): Promise<ShardStatement[]> {
    const parts = splitRows(plan, multi, this.context)
    return parts.map(({ shard, statement, places }) => ({
      shard: this.#id(shard),
      sql: statement.sql,
      ...(this.#costs ? { estimatedRows: places.length } : {}),
    }))
  }

  async #statements(
    template: SqlTemplate,
    shards: readonly number[],
    names: ReadonlyMap<number, string>,
  ): Promise<ShardStatement[]> {
    const sql = readableSql(template.sql, names)
    const rows = this.#costs ? await estimatedRows(template, shards, this.context) : undefined
    return shards.map((shard, index) => {
      const estimate = rows?.[index]
      return { shard: this.#id(shard), sql, ...(estimate === undefined ? {} : { estimatedRows: estimate }) }
    })
  }

  #keys(accesses: readonly Access[]): ExplainedKeys[] {
    const { call, state } = this.context
    return accesses.flatMap((access) => {
      if (access.kind !== 'sharded') return []
      const { name, family } = access.table
      const keyContext = { places: state.engine, family, type: state.catalog.keyType(family), observer: undefined }
      const buckets = bucketsOfKeys(access.keys, call, keyContext)
      return [{ table: name, keys: keySetSignature(access.keys), buckets }]
    })
  }

  #id(index: number): string {
    return this.context.state.topology.shards[index]?.id ?? String(index)
  }
}

function reasonForNone(plan: PreparedPlan, { lookups }: CallValues): string {
  if (lookups) return `by lookup ${lookupNames(plan)}: no entry has the value`
  return 'no key can match, so any shard gives the empty answer'
}

function lookupNames({ lookups }: PreparedPlan): string {
  return lookups.map(({ lookup }) => lookup.name).join(', ')
}

function reasonForOne(plan: PreparedPlan, { lookups }: CallValues): string {
  if (lookups) return `by lookup ${lookupNames(plan)}: its entries lead to keys on one shard`
  const sharded = plan.accesses.find((access) => access.kind === 'sharded')
  if (sharded?.kind === 'sharded') return `the shard key ${sharded.table.table}.${sharded.table.key} is on one shard`
  const single = plan.accesses.find((access) => access.kind === 'single')
  return single ? 'the table is placed on this shard' : 'the first shard answers for the server catalogs'
}

function draft(kind: Draft['kind'], shards: readonly string[], reason: string, rest: Partial<Draft>): Draft {
  return { kind, shards, reason, keys: [], before: [], statements: [], merge: [], ...rest }
}
