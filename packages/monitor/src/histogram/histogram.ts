import { z } from 'zod'
import { MonitorError } from '../errors/monitor-error.ts'
import { parseOptions } from '../errors/parse-options.ts'

export interface HistogramOptions {
  /** A percentile is off by at most this share of itself. Default: 0.01. */
  readonly relativeError?: number | undefined
  /** Values below are told as 0. In the unit of the values; default 0.001. */
  readonly smallest?: number | undefined
}

/** A histogram as plain data, to send it from a process to another. */
export interface HistogramData {
  readonly relativeError: number
  readonly smallest: number
  readonly zeros: number
  readonly sum: number
  /** `null` while the histogram is empty. */
  readonly min: number | null
  readonly max: number | null
  /** Bucket number and count, ascending. */
  readonly counts: readonly (readonly [number, number])[]
}

const share = z.number().gt(0).lt(0.5)
const optionsShape = z.strictObject({
  relativeError: share.default(0.01),
  smallest: z.number().positive().default(0.001),
})
const count = z.int().nonnegative()
const dataShape = z.strictObject({
  relativeError: share,
  smallest: z.number().positive(),
  zeros: count,
  sum: z.number(),
  min: z.number().nonnegative().nullable(),
  max: z.number().nonnegative().nullable(),
  counts: z.array(z.tuple([z.int().min(-100_000).max(100_000), count])),
})

/**
 * A distribution whose percentiles stay true when it is merged with others: buckets grow by a fixed factor (DDSketch), so
 * every percentile is within `relativeError` of the value that sorting all values would give (nearest rank).
 * @example
 * const all = new Histogram()
 * for (const shard of shards) all.merge(shard.latency)
 * all.percentile(0.95)
 */
export class Histogram {
  readonly relativeError: number
  readonly smallest: number
  readonly #factor: number
  readonly #logOfFactor: number
  #counts = new Float64Array(0)
  /** The bucket number that `#counts[0]` stands for. */
  #first = 0
  #zeros = 0
  #size = 0
  #sum = 0
  #min = Number.POSITIVE_INFINITY
  #max = 0
  #refused = 0

  constructor(options: HistogramOptions = {}) {
    const { relativeError, smallest } = parseOptions('The histogram', optionsShape, options)
    this.relativeError = relativeError
    this.smallest = smallest
    this.#factor = (1 + relativeError) / (1 - relativeError)
    this.#logOfFactor = Math.log(this.#factor)
  }

  /** @throws MonitorError MONITOR_INVALID_OPTIONS */
  static from(data: unknown): Histogram {
    const { relativeError, smallest, zeros, sum, min, max, counts } = parseOptions('The histogram', dataShape, data)
    const histogram = new Histogram({ relativeError, smallest })
    histogram.#zeros = histogram.#size = zeros
    for (const [bucket, times] of counts) histogram.#add(bucket, times)
    histogram.#sum = sum
    histogram.#min = min ?? Number.POSITIVE_INFINITY
    histogram.#max = max ?? 0
    return histogram
  }

  /** How many values were recorded. */
  get size(): number {
    return this.#size
  }

  get sum(): number {
    return this.#sum
  }

  /** Values that are negative or not finite: they are counted here and nowhere else. */
  get refused(): number {
    return this.#refused
  }

  record(value: number): void {
    if (!(value >= 0 && value < Number.POSITIVE_INFINITY)) {
      this.#refused++
      return
    }
    if (value < this.smallest) {
      this.#zeros++
      this.#size++
    } else this.#add(Math.ceil(Math.log(value) / this.#logOfFactor), 1)
    this.#sum += value
    if (value < this.#min) this.#min = value
    if (value > this.#max) this.#max = value
  }

  /**
   * Adds all values of `other`.
   * @throws MonitorError HISTOGRAMS_DIFFER
   */
  merge(other: Histogram): this {
    if (other.relativeError !== this.relativeError || other.smallest !== this.smallest) {
      throw new MonitorError({
        code: 'HISTOGRAMS_DIFFER',
        message: `Histograms with errors ${this.relativeError} and ${other.relativeError} cannot be merged exactly.`,
      })
    }
    const zeros = other.#zeros
    this.#zeros += zeros
    this.#size += zeros
    // Copied before anything is added: it may be merged with itself.
    for (const [bucket, times] of other.#buckets()) this.#add(bucket, times)
    this.#sum += other.#sum
    this.#refused += other.#refused
    this.#min = Math.min(this.#min, other.#min)
    this.#max = Math.max(this.#max, other.#max)
    return this
  }

  /** The value at `share` (0 to 1) of the sorted values, or `undefined` when there is none. */
  percentile(share: number): number | undefined {
    if (this.#size === 0) return undefined
    const rank = Math.max(1, Math.ceil(share * this.#size))
    if (rank >= this.#size) return this.#max
    if (rank === 1) return this.#min
    if (rank <= this.#zeros) return 0
    let seen = this.#zeros
    let index = -1
    while (seen < rank && index < this.#counts.length - 1) seen += this.#counts[++index] as number
    const middle = (2 * this.#factor ** (this.#first + index)) / (this.#factor + 1)
    return Math.min(Math.max(middle, this.#min), this.#max)
  }

  toJSON(): HistogramData {
    const { relativeError, smallest } = this
    const empty = this.#size === 0
    return {
      relativeError,
      smallest,
      zeros: this.#zeros,
      sum: this.#sum,
      min: empty ? null : this.#min,
      max: empty ? null : this.#max,
      counts: this.#buckets(),
    }
  }

  #buckets(): [number, number][] {
    const buckets: [number, number][] = []
    this.#counts.forEach((times, index) => {
      if (times > 0) buckets.push([this.#first + index, times])
    })
    return buckets
  }

  #add(bucket: number, times: number): void {
    if (bucket < this.#first || bucket >= this.#first + this.#counts.length) this.#reach(bucket)
    ;(this.#counts[bucket - this.#first] as number) += times
    this.#size += times
  }

  /** Makes room for `bucket` and some beside it. */
  #reach(bucket: number): void {
    const spare = 32
    const empty = this.#counts.length === 0
    const first = empty ? bucket - spare : Math.min(this.#first, bucket - spare)
    const end = empty ? bucket + spare : Math.max(this.#first + this.#counts.length, bucket + spare)
    const counts = new Float64Array(end - first)
    counts.set(this.#counts, empty ? 0 : this.#first - first)
    this.#counts = counts
    this.#first = first
  }
}
