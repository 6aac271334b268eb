import type { FleetShard } from '@shardwright/core'
import type { View } from '../definition/view.ts'
import { type Failure, failureOf, wrapServerError } from '../errors/failure.ts'
import { invalid } from '../errors/view-error.ts'
import type { InstallContext } from '../install/install-options.ts'
import { type InstallOutcome, installViews } from '../install/install-views.ts'
import { waitForLock } from '../install/wait-for-lock.ts'
import { changedViews } from '../refresh/changed-views.ts'
import type { RefreshReport } from '../refresh/refresh-report.ts'
import { refreshShard } from '../refresh/refresh-shard.ts'
import { installRollup } from '../rollup/install-rollup.ts'
import type { Rollup } from '../rollup/rollup.ts'
import { type RefreshSchedule, startSchedule } from '../schedule/refresh-schedule.ts'
import { oldestAttemptMs } from '../state/oldest-attempt.ts'
import { createRegistry } from '../state/registry.ts'
import { type ResolvedManager, resolveManager, type ViewManagerOptions } from './manager-options.ts'
import { statusOf, type ViewStatus } from './view-status.ts'

export interface InstallReport {
  readonly view: string
  readonly shard: string
  readonly outcome: InstallOutcome
}

export interface RefreshOptions {
  /** Names; default: all. */
  readonly views?: readonly string[]
  readonly signal?: AbortSignal
}

/** Views and rollups on all shards of a fleet. */
export interface ViewManager {
  /**
   * Creates what is missing, replaces what is defined differently (built beside, then swapped), mends unique indexes; one
   * shard after the other, and stops at the first that fails. New views have no rows until they are refreshed.
   * @throws ViewError VIEW_NAME_TAKEN, VIEW_BUSY, VIEW_REFERENCED, VIEW_NOT_UNIQUE, VIEW_REFRESH_FAILED
   */
  install(options?: { readonly signal?: AbortSignal }): Promise<readonly InstallReport[]>
  /** Refreshes on all shards at once; never throws for a shard that fails, its reports say so. */
  refresh(options?: RefreshOptions): Promise<readonly RefreshReport[]>
  /** Where each view stands on each shard. */
  status(): Promise<readonly ViewStatus[]>
  /**
   * Everything committed on any shard before it is in the view, through the views that it reads; undefined while a shard has
   * no rows or does not answer.
   */
  oldestRefreshedAt(name: string): Promise<Date | undefined>
  /** Refreshes by the views' own schedules, in one of all processes, until it is stopped. */
  start(): RefreshSchedule
}

/**
 * Manages views and rollups on every shard of a fleet.
 * @throws ViewError VIEW_INVALID, VIEW_CYCLE, VIEW_PLACEMENT
 * @example
 * const manager = createViewManager({ fleet: router.fleet, schema, views: [monthly] })
 * await manager.install()
 * await manager.refresh()
 * const schedule = manager.start()
 */
export function createViewManager(options: ViewManagerOptions): ViewManager {
  return new FleetViewManager(resolveManager(options))
}

class FleetViewManager implements ViewManager {
  readonly #options: ResolvedManager
  /** Rollups before the views that may read them. */
  readonly #subjects: readonly (View | Rollup)[]

  constructor(options: ResolvedManager) {
    this.#options = options
    this.#subjects = [...options.rollups, ...options.views]
  }

  async install({ signal }: { readonly signal?: AbortSignal } = {}): Promise<readonly InstallReport[]> {
    const { fleet, clock, lockWaitMs, swapAttempts } = this.#options
    const context = { clock, lockWaitMs, swapAttempts, signal }
    const reports: InstallReport[] = []
    for (const shard of fleet.shards) {
      signal?.throwIfAborted()
      try {
        reports.push(...(await this.#installOn(shard, context)))
      } catch (error) {
        throw wrapServerError(error, `installing views on the shard ${shard.id}`)
      }
    }
    return reports
  }

  async #installOn(shard: FleetShard, context: InstallContext): Promise<InstallReport[]> {
    await using connection = await shard.connect({ applicationName: 'shardwright-views' })
    await waitForLock(connection, 'shardwright.views.install', context)
    await createRegistry(connection)
    const reports: InstallReport[] = []
    for (const rollup of this.#options.rollups) {
      reports.push({ view: rollup.name, shard: shard.id, outcome: await installRollup(connection, rollup) })
    }
    for (const [view, outcome] of await installViews(connection, this.#options.views, context)) {
      reports.push({ view: view.name, shard: shard.id, outcome })
    }
    return reports
  }

  async refresh({ views, signal }: RefreshOptions = {}): Promise<readonly RefreshReport[]> {
    const unknown = views?.find((name) => !this.#subjects.some((subject) => subject.name === name))
    if (unknown !== undefined) throw invalid(`There is no view or rollup '${unknown}'.`)
    const subjects = this.#subjects.filter(({ name }) => views === undefined || views.includes(name))
    return await this.#onEveryShard((shard) => this.#refreshOn(shard, subjects, signal))
  }

  async #refreshOn(
    shard: FleetShard,
    subjects: readonly (View | Rollup)[],
    signal: AbortSignal | undefined,
  ): Promise<readonly RefreshReport[]> {
    const { clock, lockTimeoutMs, telemetry } = this.#options
    const reports = await refreshShard(shard, { subjects, clock, lockTimeoutMs, signal })
    for (const { view, outcome, durationMs, failure } of reports) {
      const attributes = { view, shard: shard.id, outcome }
      telemetry.record('shardwright.views.refresh', durationMs, attributes)
      if (failure) telemetry.log('warn', `${failure.code}: ${failure.message}`, attributes)
    }
    return reports
  }

  async status(): Promise<readonly ViewStatus[]> {
    return await this.#onEveryShard(async (shard) => {
      try {
        await using connection = await shard.connect({ applicationName: 'shardwright-views' })
        return await statusOf(connection, this.#subjects)
      } catch (error) {
        const failure = failureOf(error, `asking the shard ${shard.id}`)
        const never = { refreshedAt: undefined, asOf: undefined, durationMs: undefined }
        const nothing = { installed: false, current: false, ...never }
        return this.#subjects.map(({ name }) => ({ view: name, shard: shard.id, ...nothing, failure }))
      }
    })
  }

  async oldestRefreshedAt(name: string): Promise<Date | undefined> {
    const moments = (await this.status()).filter(({ view }) => view === name).map(({ asOf }) => asOf)
    if (moments.length === 0) throw invalid(`There is no view or rollup '${name}'.`)
    const known = moments.filter((moment) => moment !== undefined).map((moment) => moment.getTime())
    return known.length < moments.length ? undefined : new Date(Math.min(...known))
  }

  start(): RefreshSchedule {
    const { fleet, clock, telemetry, jitterMs, pollMs, onReport } = this.#options
    return startSchedule(this.#subjects, {
      ...{ fleet, clock, telemetry, jitterMs, pollMs, onReport },
      refresh: (views, signal) => this.refresh({ views, signal }),
      oldestAttemptMs: (views) => this.#oldestAttemptMs(views),
      refreshChanged: (signal) => this.#onEveryShard((shard) => this.#refreshChanged(shard, signal)),
    })
  }

  /** Over the shards that answer: one that does not cannot be refreshed either. */
  async #oldestAttemptMs(views: readonly string[]): Promise<number | undefined> {
    const subjects = this.#subjects.filter(({ name }) => views.includes(name))
    const ages = await this.#onEveryShard(async (shard) => {
      try {
        await using connection = await shard.connect({ applicationName: 'shardwright-views' })
        const ageMs = await oldestAttemptMs(connection, subjects)
        return ageMs === undefined ? [] : [ageMs]
      } catch (error) {
        this.#warn(shard, failureOf(error, `asking the shard ${shard.id}`))
        return []
      }
    })
    return ages.length === 0 ? undefined : Math.max(...ages)
  }

  #warn(shard: FleetShard, { code, message }: Failure): void {
    this.#options.telemetry.log('warn', `${code}: ${message}`, { shard: shard.id })
  }

  async #refreshChanged(shard: FleetShard, signal: AbortSignal): Promise<readonly RefreshReport[]> {
    let due: readonly View[]
    try {
      await using connection = await shard.connect({ applicationName: 'shardwright-views' })
      due = await changedViews(connection, this.#options.views, this.#options.clock.now())
    } catch (error) {
      this.#warn(shard, failureOf(error, `counting changes on the shard ${shard.id}`))
      return []
    }
    return due.length > 0 ? await this.#refreshOn(shard, due, signal) : []
  }

  async #onEveryShard<T>(work: (shard: FleetShard) => Promise<readonly T[]>): Promise<readonly T[]> {
    return (await Promise.all(this.#options.fleet.shards.map(work))).flat()
  }
}
