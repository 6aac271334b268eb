import { type Fleet, FleetLeader, noTelemetry, systemClock } from '@shardwright/core'
import { Cron } from 'croner'
import { type MaintainOptions, maintain } from '../fleet/maintain.ts'
import type { MaintenanceReport } from '../fleet/report.ts'
import type { PartitionPolicy } from '../policy/policy.ts'
import { resolveSchedule, type ScheduleOptions } from './schedule-options.ts'

export interface MaintenanceOptions extends Omit<MaintainOptions, 'signal' | 'dryRun' | 'force'>, ScheduleOptions {
  /** Called with the report of each run; what it throws is logged. */
  readonly onReport?: (report: MaintenanceReport) => void | Promise<void>
}

/** Maintenance that goes on until it is stopped. */
export interface Maintenance extends AsyncDisposable {
  /** True while this process holds the leader's lock, or when there is no leader. */
  readonly leads: boolean
  /** When the schedule comes next, before jitter. */
  readonly nextRun: Date | undefined
  /** Runs now, without jitter; `undefined` when another process leads or a run is under way. */
  run(): Promise<MaintenanceReport | undefined>
  /** Ends the schedule, stops a run between two steps and resigns. Idempotent. */
  stop(): Promise<void>
}

/**
 * Runs `maintain` by a schedule inside a service. Of many processes one leads; a run that takes longer than the interval
 * is not started twice; each run begins after a random part of `jitterMs`.
 * @throws PartitionError PARTITION_POLICY_INVALID
 * @example
 * const maintenance = startMaintenance(router.fleet, [transactions], { schedule: '0 * * * *' })
 * process.once('SIGTERM', () => void maintenance.stop())
 */
export function startMaintenance(
  fleet: Fleet,
  policies: readonly PartitionPolicy[],
  options: MaintenanceOptions,
): Maintenance {
  return new ScheduledMaintenance(fleet, policies, options)
}

class ScheduledMaintenance implements Maintenance {
  readonly #fleet: Fleet
  readonly #policies: readonly PartitionPolicy[]
  readonly #options: MaintenanceOptions
  readonly #jitterMs: number
  readonly #leader: FleetLeader | undefined
  readonly #cron: Cron
  readonly #abort = new AbortController()
  #running: Promise<MaintenanceReport | undefined> | undefined

  constructor(fleet: Fleet, policies: readonly PartitionPolicy[], options: MaintenanceOptions) {
    const schedule = resolveSchedule(options)
    this.#fleet = fleet
    this.#policies = policies
    this.#options = options
    this.#jitterMs = schedule.jitterMs
    const { telemetry = noTelemetry, clock = systemClock } = options
    if (schedule.leader !== 'none') this.#leader = new FleetLeader(fleet, { name: 'partitions', telemetry, clock })
    this.#cron = new Cron(schedule.schedule, { timezone: schedule.scheduleZone, unref: true }, () => this.#tick())
  }

  get leads(): boolean {
    return this.#leader?.leads ?? true
  }

  get nextRun(): Date | undefined {
    return this.#cron.nextRun() ?? undefined
  }

  async run(): Promise<MaintenanceReport | undefined> {
    const telemetry = this.#options.telemetry ?? noTelemetry
    if (this.#abort.signal.aborted) return undefined
    if (this.#running) {
      telemetry.count('shardwright.partitions.overruns', 1)
      return undefined
    }
    this.#running = this.#runOnce()
    try {
      return await this.#running
    } finally {
      this.#running = undefined
    }
  }

  async stop(): Promise<void> {
    this.#cron.stop()
    this.#abort.abort(new Error('the maintenance was stopped'))
    await this.#running?.catch(() => {
      // Its caller has the error.
    })
    await this.#leader?.resign()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #tick(): Promise<void> {
    try {
      const clock = this.#options.clock ?? systemClock
      const delayMs = Math.floor(Math.random() * this.#jitterMs)
      if (delayMs > 0) await clock.sleep(delayMs, { signal: this.#abort.signal, unref: true })
      await this.run()
    } catch (error) {
      if (this.#abort.signal.aborted) return
      this.#log(`The maintenance could not run: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  async #runOnce(): Promise<MaintenanceReport | undefined> {
    if (this.#leader && !(await this.#leader.lead())) return undefined
    const report = await maintain(this.#fleet, this.#policies, { ...this.#options, signal: this.#abort.signal })
    try {
      await this.#options.onReport?.(report)
    } catch (error) {
      this.#log(`onReport threw: ${error instanceof Error ? error.message : String(error)}`)
    }
    return report
  }

  #log(message: string): void {
    const telemetry = this.#options.telemetry ?? noTelemetry
    telemetry.log('error', message, { topology: this.#fleet.topologyId })
  }
}
