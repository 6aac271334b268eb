import type { Clock, Fleet, Telemetry } from '@shardwright/core'
import { delayOf } from '../definition/schedule.ts'
import type { Schedule, View } from '../definition/view.ts'
import type { RefreshReport } from '../refresh/refresh-report.ts'
import type { Rollup } from '../rollup/rollup.ts'
import { Leader } from './leader.ts'

export interface ScheduleContext {
  readonly fleet: Fleet
  readonly clock: Clock
  readonly telemetry: Telemetry
  readonly jitterMs: number
  /** How often changes are counted for `refresh.after`, milliseconds. */
  readonly pollMs: number
  readonly refresh: (names: readonly string[], signal: AbortSignal) => Promise<readonly RefreshReport[]>
  readonly refreshChanged: (signal: AbortSignal) => Promise<readonly RefreshReport[]>
  readonly onReport: ((reports: readonly RefreshReport[]) => void | Promise<void>) | undefined
}

/** Refreshes that go on until they are stopped. */
export interface RefreshSchedule extends AsyncDisposable {
  /** True while this process holds the leader's lock. */
  readonly leads: boolean
  /** Ends the schedule, lets the refreshes that are under way end, and resigns. Idempotent. */
  stop(): Promise<void>
}

/**
 * One loop for each schedule: subjects of the same schedule are refreshed together, in their order. A loop waits for its
 * own run, so a run that takes longer than its interval is followed by the next, never overlapped by it.
 */
export function startSchedule(subjects: readonly (View | Rollup)[], context: ScheduleContext): RefreshSchedule {
  const abort = new AbortController()
  const leader = new Leader(context.fleet, context.telemetry)
  const loops = [...bySchedule(subjects)].map(([key, names]) => {
    const schedule = JSON.parse(key) as Schedule
    const wait = () => delayOf(schedule, context.clock.now()) + Math.floor(Math.random() * context.jitterMs)
    return loop(wait, () => context.refresh(names, abort.signal))
  })
  if (subjects.some((subject) => subject.refresh.after)) {
    loops.push(
      loop(
        () => context.pollMs,
        () => context.refreshChanged(abort.signal),
      ),
    )
  }
  let leading: Promise<boolean> | undefined

  async function loop(wait: () => number, run: () => Promise<readonly RefreshReport[]>): Promise<void> {
    while (!abort.signal.aborted) {
      try {
        await context.clock.sleep(wait(), { signal: abort.signal, unref: true })
        if (!(await lead())) continue
        const reports = await run()
        if (reports.length > 0) await context.onReport?.(reports)
      } catch (error) {
        if (abort.signal.aborted) return
        const reason = error instanceof Error ? error.message : String(error)
        context.telemetry.log('error', `A scheduled refresh could not run: ${reason}`, {
          topology: context.fleet.topologyId,
        })
      }
    }
  }

  /** Loops that wake together ask once. */
  async function lead(): Promise<boolean> {
    leading ??= leader.lead().finally(() => {
      leading = undefined
    })
    return await leading
  }

  const stop = async () => {
    abort.abort(new Error('the schedule was stopped'))
    await Promise.all(loops)
    await leader.resign()
  }
  return {
    get leads() {
      return leader.leads
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

function bySchedule(subjects: readonly (View | Rollup)[]): Map<string, string[]> {
  const groups = new Map<string, string[]>()
  for (const { name, refresh } of subjects) {
    if (!refresh.every) continue
    const key = JSON.stringify(refresh.every)
    groups.set(key, [...(groups.get(key) ?? []), name])
  }
  return groups
}
