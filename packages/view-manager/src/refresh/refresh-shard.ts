import type { Clock, FleetConnection, FleetShard } from '@shardwright/core'
import { parentsOf } from '../definition/order-views.ts'
import type { View } from '../definition/view.ts'
import { failureOf } from '../errors/failure.ts'
import { refreshRollup } from '../rollup/refresh-rollup.ts'
import type { Rollup } from '../rollup/rollup.ts'
import { lockOf, tryLock, unlock } from '../sql/advisory-lock.ts'
import { noteFailed } from '../state/registry.ts'
import type { RefreshReport } from './refresh-report.ts'
import { refreshView } from './refresh-view.ts'

export interface ShardRefresh {
  /** Rollups first, then views in order of dependence. */
  readonly subjects: readonly (View | Rollup)[]
  readonly clock: Clock
  readonly lockTimeoutMs: number
  readonly signal?: AbortSignal | undefined
}

/** Refreshes the subjects on one shard. Never throws: a shard that is down fails for each of them. */
export async function refreshShard(shard: FleetShard, options: ShardRefresh): Promise<RefreshReport[]> {
  const { subjects, signal } = options
  try {
    await using connection = await shard.connect({ applicationName: 'shardwright-views', ...(signal && { signal }) })
    const reports: RefreshReport[] = []
    for (const subject of subjects) reports.push(await refreshSubject(connection, subject, reports, options))
    return reports
  } catch (error) {
    const failure = failureOf(error, `refreshing on the shard ${shard.id}`)
    return subjects.map(({ name }) => ({ view: name, shard: shard.id, outcome: 'failed', durationMs: 0, failure }))
  }
}

async function refreshSubject(
  connection: FleetConnection,
  subject: View | Rollup,
  before: readonly RefreshReport[],
  options: ShardRefresh,
): Promise<RefreshReport> {
  const base = { view: subject.name, shard: connection.shardId }
  const parent = subject.kind === 'view' ? failedParent(subject, before, options.subjects) : undefined
  if (parent !== undefined) {
    const message = `'${subject.name}' reads '${parent}', which was not refreshed.`
    // The note is for status() and the schedule; the report has the reason too.
    await noteFailed(connection, subject, message).catch(() => {})
    return { ...base, outcome: 'skipped', durationMs: 0, failure: { code: 'VIEW_PARENT_FAILED', message } }
  }
  const started = options.clock.monotonicMs()
  const durationMs = () => options.clock.monotonicMs() - started
  try {
    options.signal?.throwIfAborted()
    if (!(await tryLock(connection, lockOf(subject)))) return { ...base, outcome: 'busy', durationMs: durationMs() }
    try {
      const done =
        subject.kind === 'view'
          ? await refreshView(connection, subject, options.lockTimeoutMs)
          : await refreshRollup(connection, subject)
      return { ...base, ...done, outcome: 'refreshed', durationMs: durationMs() }
    } finally {
      await unlock(connection, lockOf(subject)).catch(() => {}) // a lost connection has lost its locks
    }
  } catch (error) {
    const failure = failureOf(error, `refreshing ${subject.name} on the shard ${connection.shardId}`)
    // As above.
    await noteFailed(connection, subject, failure.message).catch(() => {})
    return { ...base, outcome: 'failed', durationMs: durationMs(), failure }
  }
}

function failedParent(
  view: View,
  before: readonly RefreshReport[],
  subjects: readonly (View | Rollup)[],
): string | undefined {
  const views = subjects.filter((subject) => subject.kind === 'view')
  const parents = new Set(parentsOf(view, views).map((parent) => parent.name))
  // A rollup that a view reads is its parent as well.
  for (const subject of subjects)
    if (subject.kind === 'rollup' && view.reads.includes(subject.name)) parents.add(subject.name)
  const failed = before.find((report) => parents.has(report.view) && /failed|skipped/.test(report.outcome))
  return failed?.view
}
