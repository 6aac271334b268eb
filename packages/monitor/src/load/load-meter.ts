import { Histogram } from '../histogram/histogram.ts'
import { brokenLimits, type LoadEnd, type LoadMoment, type LoadReport, summaryOf } from './load-report.ts'
import { lookAtMemory, type MemoryLook, memoryOf } from './memory-course.ts'
import type { ResolvedWorkload } from './workload.ts'

/** Counts and latencies of calls that belong together. */
class Tally {
  readonly latency = new Histogram()
  readonly service = new Histogram()
  readonly memory: MemoryLook | undefined
  calls = 0
  errors = 0

  constructor(memory?: MemoryLook) {
    this.memory = memory
  }
}

const mostMoments = 240
const mostCodes = 50

/** Measures the calls of a run, in memory that does not grow with it. */
export class LoadMeter {
  readonly #all = new Tally()
  readonly #lateness = new Histogram()
  readonly #operations: ReadonlyMap<string, Tally>
  readonly #moments: Tally[] = []
  readonly #momentMs: number
  readonly #codes = new Map<string, number>()
  readonly #workload: ResolvedWorkload<never>
  #dropped = 0
  #unfinished = 0

  constructor(workload: ResolvedWorkload<never>, plannedMs: number) {
    this.#workload = workload
    this.#operations = new Map(workload.operations.map(({ name }) => [name, new Tally()]))
    this.#momentMs = Math.max(1_000, Math.ceil(plannedMs / mostMoments / 1_000) * 1_000)
  }

  /** A call that ended; times in milliseconds from the start of the run. */
  ended(operation: string, dueMs: number, startedMs: number, endedMs: number, error: unknown): void {
    for (const tally of this.#talliesOf(operation, dueMs)) {
      tally.calls++
      if (error !== undefined) tally.errors++
      tally.latency.record(endedMs - dueMs)
      tally.service.record(endedMs - startedMs)
    }
    if (error !== undefined) this.#countCode(codeOf(error))
  }

  /** A call that was never started. */
  dropped(operation: string, dueMs: number): void {
    this.#dropped++
    for (const tally of this.#talliesOf(operation, dueMs)) {
      tally.calls++
      tally.errors++
    }
    this.#countCode('DROPPED')
  }

  /** A call without an answer at the end: its latency is at least what has passed. */
  unfinished(operation: string, dueMs: number, startedMs: number | undefined, nowMs: number): void {
    this.#unfinished++
    for (const tally of this.#talliesOf(operation, dueMs)) {
      tally.calls++
      tally.errors++
      tally.latency.record(nowMs - dueMs)
      if (startedMs !== undefined) tally.service.record(nowMs - startedMs)
    }
    this.#countCode('UNFINISHED')
  }

  late(byMs: number): void {
    this.#lateness.record(Math.max(0, byMs))
  }

  report(end: LoadEnd, seed: number, durationMs: number): LoadReport {
    const { calls, errors, latency, service } = this.#all
    const summary = summaryOf(latency)
    const looks = this.#moments.flatMap((tally) => tally?.memory ?? [])
    return Object.freeze<LoadReport>({
      end,
      seed,
      durationMs,
      calls,
      errors,
      errorCodes: Object.fromEntries([...this.#codes].toSorted((a, b) => b[1] - a[1])),
      dropped: this.#dropped,
      unfinished: this.#unfinished,
      throughput: durationMs > 0 ? ((calls - errors) * 1000) / durationMs : 0,
      latency: summary,
      service: summaryOf(service),
      lateness: summaryOf(this.#lateness),
      operations: [...this.#operations].map(([operation, tally]) => ({
        operation,
        calls: tally.calls,
        errors: tally.errors,
        latency: summaryOf(tally.latency),
        service: summaryOf(tally.service),
      })),
      moments: Array.from(this.#moments, (tally, index) => this.#momentOf(tally ?? new Tally(), index)),
      memory: memoryOf([...looks, lookAtMemory()]),
      broken: brokenLimits({ calls, errors, latency: summary }, this.#workload.limits),
    })
  }

  #momentOf({ calls, errors, latency, memory }: Tally, index: number): LoadMoment {
    const perSecond = 1000 / this.#momentMs
    return {
      atMs: index * this.#momentMs,
      offered: calls * perSecond,
      completed: (calls - errors) * perSecond,
      errors,
      latency: summaryOf(latency),
      rssBytes: memory?.rssBytes,
      heapBytes: memory?.heapBytes,
    }
  }

  #talliesOf(operation: string, dueMs: number): readonly Tally[] {
    const index = Math.floor(dueMs / this.#momentMs)
    this.#moments[index] ??= new Tally(lookAtMemory())
    return [this.#all, this.#operations.get(operation) as Tally, this.#moments[index] as Tally]
  }

  #countCode(code: string): void {
    const key = this.#codes.has(code) || this.#codes.size < mostCodes ? code : 'OTHER'
    this.#codes.set(key, (this.#codes.get(key) ?? 0) + 1)
  }
}

/** The code of ours or of PostgreSQL, else the name of the error's class; never its text, which may hold values. */
function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown }
  if (typeof code === 'string' && code !== '') return code
  return error instanceof Error ? error.name : 'UNKNOWN'
}
