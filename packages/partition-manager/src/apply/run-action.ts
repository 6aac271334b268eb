import { wrapServerError } from '../errors/failure.ts'
import { PartitionError } from '../errors/partition-error.ts'
import { checkViolation, sqlStateOf } from '../errors/sql-state.ts'
import type { CatalogState } from '../inspect/catalog-state.ts'
import type { CreatePartition, PartitionAction, ReattachPartition } from '../plan/action.ts'
import type { PartitionPolicy } from '../policy/policy.ts'
import { buildIndex, createIndex } from './build-index.ts'
import { detachPartition } from './detach.ts'
import { deleteJob } from './journal.ts'
import { repairDefault } from './repair-default.ts'
import { rest } from './rest.ts'
import { retirePartition } from './retire.ts'
import type { MaintenanceSession } from './session.ts'
import { toColumnar } from './to-columnar.ts'

/** Does one action; returns the rows it moved, where it moves rows. */
export async function runAction(
  session: MaintenanceSession,
  state: CatalogState,
  policy: PartitionPolicy,
  action: PartitionAction,
): Promise<bigint | undefined> {
  switch (action.kind) {
    case 'create':
      await createPartition(session, state, action)
      return undefined
    case 'repair-default':
      return await repairDefault(session, state, policy, action)
    case 'finalize-detach':
      await detachPartition(session, state, action.partition, true)
      return undefined
    case 'retire':
      await retirePartition(session, state, policy, action)
      return undefined
    case 'reattach':
      await reattach(session, action)
      return undefined
    case 'forget-job':
      await deleteJob(session, action.jobId)
      return undefined
    case 'columnar':
      await toColumnar(session, state, action)
      return undefined
    case 'create-index':
      await createIndex(session, state, action)
      return undefined
    case 'build-index':
      await buildIndex(session, action)
      return undefined
    case 'analyze':
      session.step('analyze')
      await session.withShortLocks('analyze', () => session.script(action.sql))
      return undefined
  }
}

async function createPartition(
  session: MaintenanceSession,
  state: CatalogState,
  action: CreatePartition,
): Promise<void> {
  session.step('create', { partition: action.name })
  const send = () => session.script(action.sql)
  try {
    if (state.parent.distributed) await session.transaction(`create ${action.name}`, send)
    else await session.withShortLocks(`create ${action.name}`, send)
  } catch (error) {
    const cause = (error as Error).cause
    if (sqlStateOf(cause) !== checkViolation) throw wrapServerError(error, `create ${action.name}`)
    // Written between the plan and now.
    throw new PartitionError({
      code: 'PARTITION_DEFAULT_ROWS',
      message: `${action.name} was not created: rows of its range wait in the DEFAULT partition (23514).`,
      details: { partition: action.name },
      cause,
    })
  }
}

/**
 * In one transaction; an abort ends it after the last one made.
 * @returns how many were created; 0 when they have to be tried one by one.
 */
export async function createTogether(
  session: MaintenanceSession,
  actions: readonly CreatePartition[],
): Promise<number> {
  try {
    await rest(session)
    return await session.transaction(`create ${actions.length} partitions`, async () => {
      let created = 0
      for (const action of actions) {
        if (session.options.signal.aborted) break
        session.step('create', { partition: action.name })
        await session.script(action.sql.filter((line) => line !== 'begin' && line !== 'commit'))
        created++
      }
      return created
    })
  } catch {
    // Whatever it was, it belongs to one of them, and that one will say it.
    return 0
  }
}

async function reattach(session: MaintenanceSession, action: ReattachPartition): Promise<void> {
  session.step('reattach', { partition: action.partition.name })
  await session.transaction(`attach ${action.partition.name} again`, async () => {
    await session.script(action.sql)
    await deleteJob(session, action.jobId)
  })
}
