import type { Histogram } from '../histogram/histogram.ts'
import type { LoadMemory } from './memory-course.ts'
import type { LoadLimits } from './workload.ts'

/** Latencies in milliseconds; undefined where nothing was measured. */
export interface LatencySummary {
  readonly p50: number | undefined
  readonly p90: number | undefined
  readonly p95: number | undefined
  readonly p99: number | undefined
  readonly p999: number | undefined
  readonly max: number | undefined
}

export interface OperationReport {
  readonly operation: string
  readonly calls: number
  readonly errors: number
  /** From the moment the call was due, so that waiting behind slow calls counts. */
  readonly latency: LatencySummary
  /** From the moment it was started. */
  readonly service: LatencySummary
}

/** A piece of the run; calls belong to the moment they were due. */
export interface LoadMoment {
  readonly atMs: number
  /** Arrivals per second. */
  readonly offered: number
  /** Calls that ended well, per second. */
  readonly completed: number
  readonly errors: number
  readonly latency: LatencySummary
  /** Memory of this process when the moment began; undefined when nothing was due in it. */
  readonly rssBytes: number | undefined
  readonly heapBytes: number | undefined
}

/** Why a run ended. */
export type LoadEnd = 'done' | 'interrupted' | 'errors' | 'overload'

export interface LoadReport {
  readonly end: LoadEnd
  readonly seed: number
  readonly durationMs: number
  /** All calls that were due. */
  readonly calls: number
  /** Failed, dropped and unfinished ones. */
  readonly errors: number
  readonly errorCodes: Readonly<Record<string, number>>
  /** Due while too many waited already. */
  readonly dropped: number
  /** Not answered when the run was over. */
  readonly unfinished: number
  /** Calls that ended well, per second. */
  readonly throughput: number
  readonly latency: LatencySummary
  readonly service: LatencySummary
  /** How late this process started calls that did not have to wait: it is the measurement's own error. */
  readonly lateness: LatencySummary
  readonly operations: readonly OperationReport[]
  readonly moments: readonly LoadMoment[]
  /** Of this process: what a soak run is for. */
  readonly memory: LoadMemory
  /** Limits of the workload that the run broke, in words. */
  readonly broken: readonly string[]
}

export function summaryOf(histogram: Histogram): LatencySummary {
  return Object.freeze({
    p50: histogram.percentile(0.5),
    p90: histogram.percentile(0.9),
    p95: histogram.percentile(0.95),
    p99: histogram.percentile(0.99),
    p999: histogram.percentile(0.999),
    max: histogram.percentile(1),
  })
}

/** The limits that a run broke. A limit on latencies of which there are none is broken too. */
export function brokenLimits(
  { latency, errors, calls }: Pick<LoadReport, 'latency' | 'errors' | 'calls'>,
  { p50Ms, p95Ms, p99Ms, errorsRatio = 0.01 }: LoadLimits,
): readonly string[] {
  const slow = (name: 'p50' | 'p95' | 'p99', limit: number | undefined) => {
    const value = latency[name]
    if (limit === undefined || (value !== undefined && value <= limit)) return []
    return [`${name} is ${value === undefined ? 'unknown' : `${Math.round(value)} ms`}, the limit is ${limit} ms`]
  }
  const ratio = calls === 0 ? 1 : errors / calls
  const failing = `${round(ratio * 100)} % of the calls failed, the limit is ${round(errorsRatio * 100)} %`
  return [
    ...(ratio > errorsRatio ? [calls === 0 ? 'no call was made' : failing] : []),
    ...slow('p50', p50Ms),
    ...slow('p95', p95Ms),
    ...slow('p99', p99Ms),
  ]
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
