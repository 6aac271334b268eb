import { type Clock, noTelemetry, systemClock, type Telemetry } from '@shardwright/core'
import { decideChecked, type ScalingAction, type ScalingDecision } from './decide.ts'
import { type HistoryPoint, parseScalingChanges, type ScalingChange } from './history.ts'
import { parseScalingRules, type ResolvedRule, type ScalingRule } from './scaling-rule.ts'
import type { ScalingTarget } from './scaling-target.ts'

export interface ScalerOptions {
  readonly rules: readonly ScalingRule[]
  /** By the names that the rules use. A rule of another target never fires: its size is not known. */
  readonly targets: Readonly<Record<string, ScalingTarget>>
  /** The points up to now, e.g. `() => monitor.history.points()`. */
  readonly points: () => readonly HistoryPoint[]
  /** Changes that were made before, as `scaler.changes` gave them: their cool-downs go on. Default: none. */
  readonly changes?: readonly ScalingChange[] | undefined
  readonly telemetry?: Telemetry | undefined
  readonly clock?: Clock | undefined
}

/** What became of one action. */
export interface ScalingOutcome {
  readonly action: ScalingAction
  /** `failed` is no change: the rule may fire again in the next round. */
  readonly outcome: 'done' | 'failed'
  readonly error?: unknown
}

export interface ScalingRound {
  readonly decision: ScalingDecision
  readonly outcomes: readonly ScalingOutcome[]
}

/** Decides by the rules and resizes the targets. Made by `createScaler`. */
export class Scaler {
  readonly #rules: readonly ResolvedRule[]
  readonly #options: ScalerOptions
  readonly #clock: Clock
  readonly #telemetry: Telemetry
  readonly #changes: ScalingChange[]
  #round: Promise<ScalingRound> | undefined

  constructor(options: ScalerOptions) {
    this.#rules = parseScalingRules(options.rules)
    this.#options = options
    this.#changes = [...parseScalingChanges(options.changes ?? [])]
    this.#clock = options.clock ?? systemClock
    this.#telemetry = options.telemetry ?? noTelemetry
  }

  /** The last change of each target: kept in a file, and given to the next process, it keeps cool-downs over a restart. */
  get changes(): readonly ScalingChange[] {
    return Object.freeze([...this.#changes])
  }

  /**
   * One round: reads the sizes, decides, resizes. Called while a round is under way, it gives that one.
   * @example
   * setInterval(() => void scaler.round(), 60_000)
   */
  round(): Promise<ScalingRound> {
    this.#round ??= this.#run().finally(() => {
      this.#round = undefined
    })
    return this.#round
  }

  async #run(): Promise<ScalingRound> {
    const sizes = await this.#sizes()
    const nowMs = this.#clock.now()
    const decision = decideChecked(this.#rules, {
      nowMs,
      points: this.#options.points(),
      changes: this.#changes,
      sizes,
    })
    const outcomes = await Promise.all(decision.actions.map((action) => this.#resize(action)))
    this.#forget()
    return Object.freeze({ decision, outcomes })
  }

  /** A size that cannot be read is missing, and its rules wait. */
  async #sizes(): Promise<Record<string, number>> {
    const known = await Promise.all(
      Object.entries(this.#options.targets).map(async ([name, target]) => {
        try {
          return [[name, await target.currentSize()] as const]
        } catch (error) {
          this.#failed(name, 'its size cannot be read', error)
          return []
        }
      }),
    )
    return Object.fromEntries(known.flat())
  }

  async #resize(action: ScalingAction): Promise<ScalingOutcome> {
    const { target, direction } = action
    try {
      await this.#options.targets[target]?.resize(action)
    } catch (error) {
      this.#failed(target, `it is not resized from ${action.from} to ${action.to}`, error)
      return Object.freeze({ action, outcome: 'failed' as const, error })
    }
    this.#changes.push({ atMs: this.#clock.now(), target })
    this.#telemetry.count('shardwright.scaling.actions', 1, { target, direction })
    this.#telemetry.log('info', `${target}: ${action.from} -> ${action.to}, as ${action.reason}`, { target })
    return Object.freeze({ action, outcome: 'done' as const })
  }

  #failed(target: string, what: string, error: unknown): void {
    this.#telemetry.count('shardwright.scaling.failures', 1, { target })
    const message = error instanceof Error ? error.message : String(error)
    this.#telemetry.log('warn', `Scaling of ${target}: ${what}: ${message}`, { target })
  }

  /** Cool-downs ask for the last change of each target only. */
  #forget(): void {
    const last = new Map(this.#changes.map((change) => [change.target, change]))
    this.#changes.splice(0, this.#changes.length, ...last.values())
  }
}

/**
 * Carries out scaling rules: `decide` with the sizes and changes filled in.
 * @throws MonitorError MONITOR_INVALID_OPTIONS
 * @example
 * const scaler = createScaler({ rules, targets: { capacity: auroraCapacity({ client, cluster: 'festival' }) }, points })
 */
export function createScaler(options: ScalerOptions): Scaler {
  return new Scaler(options)
}
