import type { FleetConnection } from '@shardwright/core'
import { withDependents } from '../definition/order-views.ts'
import type { View } from '../definition/view.ts'
import { ViewError } from '../errors/view-error.ts'
import { lockOf, unlock } from '../sql/advisory-lock.ts'
import { identifier, qualified } from '../sql/quote.ts'
import { inspectView, type ViewState } from '../state/inspect-view.ts'
import { readRegistry } from '../state/registry.ts'
import type { InstallContext } from './install-options.ts'
import { type BuiltView, buildBeside, clearStaging, dropStaging, uniqueIndexName, uniqueIndexSql } from './staging.ts'
import { swapViews } from './swap.ts'
import { waitForLock } from './wait-for-lock.ts'

export type InstallOutcome = 'created' | 'replaced' | 'index-built' | 'unchanged'

/**
 * Brings one shard's views to their definitions. `ordered` is in order of dependence. The caller holds the install lock.
 * @throws ViewError VIEW_NAME_TAKEN, VIEW_BUSY, VIEW_REFERENCED, VIEW_NOT_UNIQUE, VIEW_REFRESH_FAILED
 */
export async function installViews(
  connection: FleetConnection,
  ordered: readonly View[],
  context: InstallContext,
): Promise<Map<View, InstallOutcome>> {
  const states = await statesOf(connection, ordered)
  const changed = await changedViews(connection, ordered, states)
  const rebuilt = withDependents(changed, ordered)
  const outcomes = new Map<View, InstallOutcome>(ordered.map((view) => [view, 'unchanged']))
  if (rebuilt.length > 0) await replace(connection, rebuilt, states, context)
  for (const view of rebuilt) outcomes.set(view, states.has(view) ? 'replaced' : 'created')
  for (const view of ordered) {
    if (rebuilt.includes(view) || states.get(view)?.uniqueIndex) continue
    await mendIndex(connection, view)
    outcomes.set(view, 'index-built')
  }
  return outcomes
}

async function statesOf(connection: FleetConnection, views: readonly View[]): Promise<Map<View, ViewState>> {
  const states = new Map<View, ViewState>()
  for (const view of views) {
    const state = await inspectView(connection, view)
    if (state && state.kind !== 'm') {
      throw new ViewError({
        code: 'VIEW_NAME_TAKEN',
        message: `${view.schema}.${view.name} on the shard ${connection.shardId} is not a materialized view.`,
        details: { view: view.name, shard: connection.shardId },
      })
    }
    if (state) states.set(view, state)
  }
  return states
}

async function changedViews(
  connection: FleetConnection,
  views: readonly View[],
  states: ReadonlyMap<View, ViewState>,
): Promise<Set<View>> {
  const known = new Map(
    (await readRegistry(connection)).map((row) => [`${row.schema_name}.${row.name}`, row.definition_hash]),
  )
  return new Set(views.filter((view) => !states.has(view) || known.get(`${view.schema}.${view.name}`) !== view.hash))
}

/** New views are built without rows; where rows are replaced, the new ones are there before the old ones go. */
async function replace(
  connection: FleetConnection,
  rebuilt: readonly View[],
  states: ReadonlyMap<View, ViewState>,
  context: InstallContext,
): Promise<void> {
  const populate = rebuilt.some((view) => states.get(view)?.populated)
  const locked: string[] = []
  try {
    for (const view of rebuilt) {
      await waitForLock(connection, lockOf(view), context)
      locked.push(lockOf(view))
    }
    await clearStaging(connection)
    const built: BuiltView[] = []
    for (const view of rebuilt) {
      context.signal?.throwIfAborted()
      built.push(await buildBeside(connection, view, populate))
    }
    await swapViews(connection, built, new Set(states.keys()), context)
  } finally {
    // After a failure it still holds what was built; the next install would clear it as well.
    await dropStaging(connection).catch(() => {})
    for (const name of locked) await unlock(connection, name).catch(() => {}) // a lost connection has lost its locks
  }
}

async function mendIndex(connection: FleetConnection, view: View): Promise<void> {
  // What an interrupted build has left is invalid and in the way.
  const name = identifier(uniqueIndexName(view))
  await connection.query(`drop index concurrently if exists ${identifier(view.schema)}.${name}`)
  await connection.query(uniqueIndexSql(view, view.schema, 'concurrently'))
  await connection.query(`analyze ${qualified(view.schema, view.name)}`)
}
