import type { CompiledQuery } from 'kysely'
import { confine } from './dialect/confine-plan.ts'
import type { Mode } from './dialect/mode.ts'
import type { RouterCore } from './dialect/router-core.ts'
import type { RouterState } from './execute/context.ts'
import { requireKey } from './execute/execute-plan.ts'
import { type Route, routeAccesses, shardIndex } from './execute/route.ts'
import type { Explanation } from './explanation.ts'
import { keySetSignature } from './plan/key/key-set.ts'
import { mergeSteps } from './plan/merge-steps.ts'
import type { MultiShardPlan } from './plan/multi-shard.ts'
import type { PreparedPlan } from './plan/prepared-plan.ts'
import type { CallValues } from './plan/source.ts'

/** Plans a query without running it. @throws RoutingError as running it would. */
export async function explainQuery(query: CompiledQuery, mode: Mode, core: RouterCore): Promise<Explanation> {
  const state = await core.ready()
  if (mode.kind === 'shard') {
    const shard = state.topology.shards[shardIndex(state.topology, mode.shard ?? '')]?.id ?? ''
    return described('one', [shard], 'router.onShard names the shard', [], [{ shard, sql: query.sql }], [])
  }
  const { plan, sql, call } = mode.confined
    ? confine(query, mode.confined, core, state)
    : { plan: core.plan(query, state), sql: query.sql, call: { parameters: query.parameters } satisfies CallValues }
  const route = routeAccesses(plan.accesses, call, state)
  if (mode.kind !== 'fan-out') requireKey(plan, route)
  return route.shards.length <= 1 ? explainOne(plan, route, sql, state) : explainMany(plan, route, state)
}

function explainOne(plan: PreparedPlan, route: Route, sql: string, state: RouterState): Explanation {
  const text = plan.template?.sql ?? sql
  const [index] = route.shards
  if (index !== undefined) {
    const id = shardId(index, state)
    return described('one', [id], reasonForOne(plan), keysOf(plan), [{ shard: id, sql: text }], [])
  }
  const sharded = plan.accesses.some((access) => access.kind === 'sharded')
  const id = shardId(0, state)
  return sharded
    ? described(
        'none',
        [],
        'no key can match, so any shard gives the empty answer',
        keysOf(plan),
        [{ shard: id, sql: text }],
        [],
      )
    : described('one', [id], 'every shard has these tables: any one answers', [], [{ shard: id, sql: text }], [])
}

function reasonForOne(plan: PreparedPlan): string {
  const sharded = plan.accesses.find((access) => access.kind === 'sharded')
  if (sharded?.kind === 'sharded') return `the shard key ${sharded.table.table}.${sharded.table.key} is on one shard`
  const single = plan.accesses.find((access) => access.kind === 'single')
  return single ? 'the table is placed on this shard' : 'the first shard answers for the server catalogs'
}

function explainMany(plan: PreparedPlan, route: Route, state: RouterState): Explanation {
  const multi = plan.multi()
  const shards = route.shards.map((index) => shardId(index, state))
  const reason =
    route.keyless.length > 0
      ? `no shard key for ${route.keyless.map((name) => `'${name}'`).join(', ')}: every shard is asked`
      : 'the shard keys are on several shards'
  const sql = sqlOf(multi)
  const kind =
    multi.kind === 'fan-out'
      ? 'fan-out'
      : multi.kind === 'split' || multi.kind === 'insert-select'
        ? 'split'
        : 'broadcast'
  return described(
    kind,
    shards,
    reason,
    keysOf(plan),
    shards.map((shard) => ({ shard, sql })),
    multiSteps(multi),
  )
}

function sqlOf(multi: MultiShardPlan): string {
  switch (multi.kind) {
    case 'fan-out':
      return multi.merge.partial?.sql ?? '(only gathered rows are needed)'
    case 'broadcast':
      return multi.template.sql
    case 'reference':
      return multi.write.statement.sql
    case 'steps':
      return multi.main.template?.sql ?? ''
    default:
      return `insert the rows whose ${multi.table.key} is on the shard`
  }
}

function multiSteps(multi: MultiShardPlan): string[] {
  switch (multi.kind) {
    case 'fan-out':
      return mergeSteps(multi.merge)
    case 'broadcast':
      return ['commit on all shards or on none', 'add the row counts, put the returned rows together']
    case 'steps':
      return [
        ...multi.reads.map((read) => `first read ${read.part}`),
        ...multi.steps.map((step) => `then write '${step.part}' and keep the rows that it returns`),
        'then run the statement over those rows',
        'commit on all shards or on none',
      ]
    case 'reference':
      return ['write the first shard, then the other copies', 'commit on all shards or on none']
    default:
      return ['commit on all shards or on none', 'returned rows in the order of the rows inserted']
  }
}

function keysOf(plan: PreparedPlan): Explanation['keys'] {
  return plan.accesses.flatMap((access) =>
    access.kind === 'sharded' ? [{ table: access.table.name, keys: keySetSignature(access.keys) }] : [],
  )
}

function shardId(index: number, state: RouterState): string {
  return state.topology.shards[index]?.id ?? String(index)
}

function described(
  kind: Explanation['kind'],
  shards: readonly string[],
  reason: string,
  keys: Explanation['keys'],
  statements: Explanation['statements'],
  merge: readonly string[],
): Explanation {
  const explanation = { kind, shards, reason, keys, statements, merge }
  return Object.freeze({ ...explanation, toString: () => textOf(explanation) })
}

function textOf(explanation: Omit<Explanation, 'toString'>): string {
  const { kind, shards, reason, statements, merge } = explanation
  const texts = [...new Set(statements.map((statement) => statement.sql))]
  return [
    `${kind}: ${shards.length > 0 ? shards.join(', ') : 'no shard'}`,
    `  because ${reason}`,
    ...texts.map((sql) => `  sql: ${sql}`),
    ...merge.map((step) => `  then ${step}`),
  ].join('\n')
}
