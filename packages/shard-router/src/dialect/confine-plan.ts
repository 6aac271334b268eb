import { canonicalKey } from '@shardwright/core'
import type { CompiledQuery, OperationNode, RootOperationNode } from 'kysely'
import type { RouterState } from '../execute/context.ts'
import { indexParameters } from '../plan/compile.ts'
import { confineTree } from '../plan/confine.ts'
import type { KeyItem } from '../plan/key/key-set.ts'
import { withOwnNodes } from '../plan/own-nodes.ts'
import { planStatement } from '../plan/planner.ts'
import type { PreparedPlan } from '../plan/prepared-plan.ts'
import { openRawNodes } from '../plan/raw/open-nodes.ts'
import { withPlainEnd } from '../plan/raw/statement-end.ts'
import { refuse } from '../plan/refuse.ts'
import { type CallValues, resolveSource } from '../plan/source.ts'
import type { Mode } from './mode.ts'
import type { RouterCore } from './router-core.ts'

/** Plans a query under `router.for(key)`: the key enters every use of a sharded table, and inserts are checked. */
export function confine(
  query: CompiledQuery,
  confined: NonNullable<Mode['confined']>,
  core: RouterCore,
  state: RouterState,
): { plan: PreparedPlan; sql: string; call: CallValues } {
  const plan = core.confinedPlan(query.sql, confined.family, () => planConfined(query, confined.family, state))
  const call: CallValues = { parameters: query.parameters, confinedKey: confined.value }
  checkInsertedKeys(plan, call, confined, state)
  return { plan, sql: plan.template?.sql ?? query.sql, call }
}

function planConfined(query: CompiledQuery, family: string, state: RouterState): PreparedPlan {
  const root = withOwnNodes(withPlainEnd(query) as OperationNode)
  if (root.kind === 'RawNode') {
    refuse(
      'RAW_STATEMENT',
      'A whole raw statement cannot be confined to a key.',
      'Use the query builder, or name the shard: router.onShard(id).',
    )
  }
  const parameters = indexParameters(root as RootOperationNode)
  const confinedRoot = confineTree(openRawNodes(root), state.schema, family) as RootOperationNode
  return planStatement(confinedRoot, state.schema, state.catalog, parameters)
}

/** @throws RoutingError CONFINED_TO_KEY when a row to insert has another key */
function checkInsertedKeys(
  plan: PreparedPlan,
  call: CallValues,
  confined: NonNullable<Mode['confined']>,
  state: RouterState,
): void {
  if (!plan.traits.writes) return
  const type = state.catalog.keyType(confined.family)
  const own = canonicalKey(type, confined.value as string)
  for (const access of plan.accesses) {
    if (access.kind !== 'sharded' || !access.writes || !access.inserts) continue
    if (access.keys.kind !== 'items' && access.keys.kind !== 'none') leaves(access.table.name)
    const items: readonly KeyItem[] = access.keys.kind === 'items' ? access.keys.items : []
    for (const item of items) {
      const value = resolveSource(item.source, call)
      if (value === null || value === undefined || canonicalKey(type, value as string) !== own)
        leaves(access.table.name)
    }
  }
}

function leaves(table: string): never {
  return refuse(
    'CONFINED_TO_KEY',
    `A row for '${table}' has another shard key than the one of router.for(key), or one that is not known before it runs.`,
    'Insert the row with the same key, or through router.db.',
    { table },
  )
}
