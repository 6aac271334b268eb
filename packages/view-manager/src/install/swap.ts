import type { FleetConnection } from '@shardwright/core'
import type { View } from '../definition/view.ts'
import { sqlStateOf, wrapServerError } from '../errors/failure.ts'
import { ViewError } from '../errors/view-error.ts'
import { inTransaction } from '../sql/in-transaction.ts'
import { identifier, qualified } from '../sql/quote.ts'
import { noteInstalled } from '../state/registry.ts'
import type { InstallContext } from './install-options.ts'
import { copyPrivileges } from './privileges.ts'
import { type BuiltView, stagingSchema } from './staging.ts'

/**
 * Puts the built views in the place of the old ones, all in one transaction: a reader sees the old ones or the new ones.
 * `built` is in order of dependence; `existing` says which of them replace a view.
 */
export async function swapViews(
  connection: FleetConnection,
  built: readonly BuiltView[],
  existing: ReadonlySet<View>,
  context: InstallContext,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await inTransaction(connection, () => swapOnce(connection, built, existing, attempt))
    } catch (error) {
      if (!['55P03', '40P01'].includes(sqlStateOf(error) ?? ''))
        throw wrapServerError(error, `replacing views on the shard ${connection.shardId}`)
      if (attempt >= context.swapAttempts) throw keptFromLock(connection, built, error)
      await context.clock.sleep(50 + Math.random() * 200, context.signal ? { signal: context.signal } : {})
    }
  }
}

async function swapOnce(
  connection: FleetConnection,
  built: readonly BuiltView[],
  existing: ReadonlySet<View>,
  attempt: number,
): Promise<void> {
  const replaced = built.map(({ view }) => view).filter((view) => existing.has(view))
  for (const view of replaced) await copyPrivileges(connection, view, { schema: stagingSchema, name: view.name })
  await lockViews(connection, attempt % 2 === 1 ? replaced : replaced.toReversed())
  for (const view of replaced.toReversed()) {
    await connection.query(`drop materialized view ${qualified(view.schema, view.name)}`)
  }
  for (const { view, refreshedAt } of built) {
    await connection.query(
      `alter materialized view ${qualified(stagingSchema, view.name)} set schema ${identifier(view.schema)}`,
    )
    await noteInstalled(connection, view, refreshedAt)
  }
}

/**
 * Takes the exclusive locks. A reader of two of the views may hold one and wait for the other: all waits together stay
 * below deadlock_timeout (one second), so that we give way and never the reader, and each try takes the other order.
 * LOCK TABLE does not take materialized views; naming the owner again does, and changes nothing.
 */
async function lockViews(connection: FleetConnection, views: readonly View[]): Promise<void> {
  if (views.length === 0) return
  await connection.script(`set local lock_timeout to ${Math.max(10, Math.floor(400 / views.length))}`)
  for (const view of views) {
    const { rows } = await connection.query<{ owner: string }>(
      `select quote_ident(pg_get_userbyid(c.relowner)) as owner from pg_class c
         join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relname = $2`,
      [view.schema, view.name],
    )
    const owner = rows[0]?.owner
    if (owner) await connection.query(`alter materialized view ${qualified(view.schema, view.name)} owner to ${owner}`)
  }
}

function keptFromLock(connection: FleetConnection, built: readonly BuiltView[], cause: unknown): ViewError {
  const names = built.map(({ view }) => view.name).join(', ')
  return new ViewError({
    code: 'VIEW_BUSY',
    message: `Readers on the shard ${connection.shardId} kept the swap of ${names} from its lock.`,
    details: { shard: connection.shardId },
    cause,
  })
}
