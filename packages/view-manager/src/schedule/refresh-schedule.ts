import { type Clock, type Fleet, FleetLeader, type Telemetry } from '@shardwright/core'
import { delayOf } from '../definition/schedule.ts'
import type { Schedule, View } from '../definition/view.ts'
import type { RefreshReport } from '../refresh/refresh-report.ts'
import type { Rollup } from '../rollup/rollup.ts'

export interface ScheduleContext {
  readonly fleet: Fleet
  readonly clock: Clock
  readonly telemetry: Telemetry
  readonly jitterMs: number
  /** How often changes are counted for `refresh.after`, milliseconds. */
  readonly pollMs: number
  readonly refresh: (names: readonly string[], signal: AbortSignal) => Promise<readonly RefreshReport[]>
  readonly refreshChanged: (signal: AbortSignal) => Promise<readonly RefreshReport[]>
  /** How long ago the furthest of their refreshes was tried, by the servers' clocks; undefined when no shard answers. */
  readonly oldestAttemptMs: (names: readonly string[]) => Promise<number | undefined>
  readonly onReport: ((reports: readonly RefreshReport[]) => void | Promise<void>) | undefined
}

/** Refreshes that go on until they are stopped. */
export interface RefreshSchedule extends AsyncDisposable {
  /** True while this process holds the leader's lock. */
  readonly leads: boolean
  /** Ends the schedule, lets the refreshes that are under way end, and resigns. Idempotent. */
  stop(): Promise<void>
}

type Run = () => Promise<readonly RefreshReport[]>

/** No timer is longer: Node's end at 24 days and then fire at once. A clock that jumps is noticed after as long. */
const longestSleepMs = 60_000

/** Starts one loop for each schedule: subjects of the same schedule are refreshed together, in their order. */
export function startSchedule(subjects: readonly (View | Rollup)[], context: ScheduleContext): RefreshSchedule {
  return new RunningSchedule(subjects, context)
}

/**
 * A loop waits for its own run, so a run that takes longer than its interval is followed by the next, never overlapped.
 */
class RunningSchedule implements RefreshSchedule {
  readonly #context: ScheduleContext
  readonly #leader: FleetLeader
  readonly #abort = new AbortController()
  readonly #loops: readonly Promise<void>[]
  #leading: Promise<boolean> | undefined

  constructor(subjects: readonly (View | Rollup)[], context: ScheduleContext) {
    this.#context = context
    this.#leader = new FleetLeader(context.fleet, { name: 'views', telemetry: context.telemetry })
    const { signal } = this.#abort
    const loops = bySchedule(subjects).map(({ schedule, names }) => {
      const run = () => context.refresh(names, signal)
      return 'cron' in schedule
        ? this.#loop(() => this.#byCron(schedule, run))
        : this.#loop(() => this.#byAge(schedule.everyMs, names, run))
    })
    if (subjects.some((subject) => subject.refresh.after)) {
      loops.push(this.#loop(() => this.#byChanges()))
    }
    this.#loops = loops
  }

  get leads(): boolean {
    return this.#leader.leads
  }

  async stop(): Promise<void> {
    this.#abort.abort(new Error('the schedule was stopped'))
    await Promise.all(this.#loops)
    await this.#leader.resign()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #byCron(schedule: Schedule, run: Run): Promise<void> {
    const { clock } = this.#context
    const due = clock.now() + delayOf(schedule, clock.now())
    const next = due + this.#jitter(delayOf(schedule, due))
    while (clock.now() < next) await this.#sleep(next - clock.now())
    await this.#run(run)
  }

  /** By what is in the database, not by this process's life: a service that restarts daily still refreshes weekly. */
  async #byAge(everyMs: number, names: readonly string[], run: Run): Promise<void> {
    // Another process may lead, or hold a view: look again, but not at once.
    const againMs = Math.max(50, everyMs / 10)
    if (!(await this.#lead())) return await this.#sleep(againMs)
    const ageMs = await this.#context.oldestAttemptMs(names)
    const leftMs = ageMs === undefined ? everyMs : everyMs - ageMs
    if (leftMs > 0) return await this.#sleep(leftMs + this.#jitter(everyMs))
    await this.#run(run)
    await this.#sleep(againMs)
  }

  async #byChanges(): Promise<void> {
    await this.#sleep(this.#context.pollMs)
    await this.#run(() => this.#context.refreshChanged(this.#abort.signal))
  }

  async #run(run: Run): Promise<void> {
    if (!(await this.#lead())) return
    const reports = await run()
    if (reports.length > 0) await this.#context.onReport?.(reports)
  }

  async #loop(turn: () => Promise<void>): Promise<void> {
    const { signal } = this.#abort
    while (!signal.aborted) {
      try {
        await turn()
      } catch (error) {
        if (signal.aborted) return
        const reason = error instanceof Error ? error.message : String(error)
        const attributes = { topology: this.#context.fleet.topologyId }
        this.#context.telemetry.log('error', `A scheduled refresh could not run: ${reason}`, attributes)
        await this.#sleep(this.#context.pollMs).catch(() => {}) // stopped: the loop sees it
      }
    }
  }

  /** Never so much that a run of a frequent schedule would fall on the next. */
  #jitter(intervalMs: number): number {
    return Math.floor(Math.random() * Math.min(this.#context.jitterMs, intervalMs / 10))
  }

  async #sleep(delayMs: number): Promise<void> {
    const { signal } = this.#abort
    await this.#context.clock.sleep(Math.min(delayMs, longestSleepMs), { signal, unref: true })
  }

  /** Loops that wake together ask once. */
  async #lead(): Promise<boolean> {
    this.#leading ??= this.#leader.lead().finally(() => {
      this.#leading = undefined
    })
    return await this.#leading
  }
}

function bySchedule(subjects: readonly (View | Rollup)[]): { schedule: Schedule; names: string[] }[] {
  const groups = new Map<string, { schedule: Schedule; names: string[] }>()
  for (const { name, refresh } of subjects) {
    if (!refresh.every) continue
    const key = JSON.stringify(refresh.every)
    const group = groups.get(key) ?? { schedule: refresh.every, names: [] }
    group.names.push(name)
    groups.set(key, group)
  }
  return [...groups.values()]
}
