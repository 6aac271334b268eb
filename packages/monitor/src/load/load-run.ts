import { arrivals } from './arrivals.ts'
import { LoadMeter } from './load-meter.ts'
import type { LoadEnd, LoadReport } from './load-report.ts'
import { type LoadStage, totalMs } from './load-stage.ts'
import type { LoadSettings } from './run-load.ts'
import { seededRandom } from './seeded-random.ts'
import type { LoadCall, LoadOperation, ResolvedWorkload } from './workload.ts'

/** A call that is due; `startedMs` once it is under way. */
interface Due<Context> {
  readonly operation: LoadOperation<Context>
  readonly turn: number
  readonly dueMs: number
  startedMs: number | undefined
}

/** So many outcomes are looked at before a run is given up for its errors. */
const lastOutcomes = 200
/** Timers are not finer than this. */
const timerMs = 1

/** One run of a workload. */
export class LoadRun<Context> {
  readonly #workload: ResolvedWorkload<Context>
  readonly #stages: readonly LoadStage[]
  readonly #context: Context
  readonly #settings: LoadSettings
  readonly #meter: LoadMeter
  readonly #abort = new AbortController()
  readonly #startMs: number
  readonly #inFlight = new Set<Due<Context>>()
  readonly #waiting: Due<Context>[] = []
  readonly #outcomes: boolean[] = []
  #waitingFrom = 0
  #failedOutcomes = 0
  #end: LoadEnd | undefined
  #idle: (() => void) | undefined

  constructor(
    workload: ResolvedWorkload<Context>,
    stages: readonly LoadStage[],
    context: Context,
    settings: LoadSettings,
  ) {
    this.#workload = workload
    this.#stages = stages
    this.#context = context
    this.#settings = settings
    this.#meter = new LoadMeter(workload as ResolvedWorkload<never>, totalMs(stages))
    this.#startMs = settings.clock.monotonicMs()
  }

  async run(): Promise<LoadReport> {
    const { signal, seed } = this.#settings
    const interrupt = () => this.#stop('interrupted')
    signal?.addEventListener('abort', interrupt, { once: true })
    if (signal?.aborted) interrupt()
    try {
      await this.#offer()
      // A run that was given up waits for nobody.
      if (this.#end === undefined) await this.#drain()
      const nowMs = this.#nowMs()
      this.#abort.abort(new Error('the load run is over'))
      for (const { operation, dueMs, startedMs } of [...this.#inFlight, ...this.#waiting.slice(this.#waitingFrom)]) {
        this.#meter.unfinished(operation.name, dueMs, startedMs, nowMs)
      }
      return this.#meter.report(this.#end ?? 'done', seed, nowMs)
    } finally {
      signal?.removeEventListener('abort', interrupt)
      // What still answers belongs to no report.
      this.#inFlight.clear()
    }
  }

  /** Starts calls when they are due, until the last one or the end. */
  async #offer(): Promise<void> {
    const { poisson, seed } = this.#settings
    const pick = picker(this.#workload.operations, seededRandom(seed, 2))
    let turn = 0
    for (const dueMs of arrivals(this.#stages, poisson ? seededRandom(seed, 1) : undefined)) {
      while (this.#end === undefined && this.#nowMs() < dueMs) await this.#sleepUntil(dueMs)
      if (this.#end !== undefined) return
      this.#take({ operation: pick(), turn: turn++, dueMs, startedMs: undefined })
    }
    while (this.#end === undefined && this.#nowMs() < totalMs(this.#stages))
      await this.#sleepUntil(totalMs(this.#stages))
  }

  async #sleepUntil(dueMs: number): Promise<void> {
    const delayMs = Math.max(timerMs, dueMs - this.#nowMs())
    // Woken by the end of the run.
    await this.#settings.clock.sleep(delayMs, { signal: this.#abort.signal }).catch(() => {})
  }

  #take(due: Due<Context>): void {
    const { maxInFlight, maxWaiting } = this.#settings
    if (this.#inFlight.size < maxInFlight) {
      this.#meter.late(this.#nowMs() - due.dueMs)
      void this.#call(due)
    } else if (this.#waiting.length - this.#waitingFrom < maxWaiting) this.#waiting.push(due)
    else {
      this.#meter.dropped(due.operation.name, due.dueMs)
      this.#stop('overload')
    }
  }

  async #call(due: Due<Context>): Promise<void> {
    const { operation, turn, dueMs } = due
    const startedMs = this.#nowMs()
    due.startedMs = startedMs
    this.#inFlight.add(due)
    const call: LoadCall = { turn, random: seededRandom(this.#settings.seed, 3, turn), signal: this.#abort.signal }
    let error: unknown
    try {
      await operation.run(this.#context, call)
    } catch (thrown) {
      error = thrown ?? new Error('nothing was thrown')
    }
    // False when the run is over: it was counted as unfinished.
    if (!this.#inFlight.delete(due)) return
    this.#meter.ended(operation.name, dueMs, startedMs, this.#nowMs(), error)
    this.#note(error !== undefined)
    this.#next()
    if (this.#inFlight.size === 0) this.#idle?.()
  }

  #next(): void {
    const due = this.#end === undefined ? this.#waiting[this.#waitingFrom] : undefined
    if (due === undefined) return
    this.#waitingFrom++
    if (this.#waitingFrom > 1_000) {
      this.#waiting.splice(0, this.#waitingFrom)
      this.#waitingFrom = 0
    }
    void this.#call(due)
  }

  #note(failed: boolean): void {
    this.#outcomes.push(failed)
    if (failed) this.#failedOutcomes++
    if (this.#outcomes.length <= lastOutcomes) return
    if (this.#outcomes.shift()) this.#failedOutcomes--
    if (this.#failedOutcomes / lastOutcomes > this.#settings.stopErrorsRatio) this.#stop('errors')
  }

  #stop(end: LoadEnd): void {
    this.#end ??= end
    this.#abort.abort(new Error(`the load run ends: ${end}`))
    this.#idle?.()
  }

  async #drain(): Promise<void> {
    if (this.#inFlight.size === 0) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#idle = resolve
    const timer = new AbortController()
    const slept = this.#settings.clock.sleep(this.#settings.drainMs, { signal: timer.signal }).catch(() => {})
    await Promise.race([promise, slept])
    timer.abort()
  }

  #nowMs(): number {
    return this.#settings.clock.monotonicMs() - this.#startMs
  }
}

/** Picks operations by their weights. */
function picker<Context>(
  operations: ResolvedWorkload<Context>['operations'],
  random: () => number,
): () => LoadOperation<Context> {
  const total = operations.reduce((sum, { weight }) => sum + weight, 0)
  return () => {
    let left = random() * total
    for (const operation of operations) {
      left -= operation.weight
      if (left < 0) return operation
    }
    return operations.at(-1) as LoadOperation<Context>
  }
}
