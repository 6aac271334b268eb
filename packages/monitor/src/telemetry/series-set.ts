import type { TelemetryAttributes } from '@shardwright/core'
import { Histogram } from '../histogram/histogram.ts'
import { RotatingHistogram } from '../histogram/rotating-histogram.ts'
import type { Windows } from './windows.ts'

/** Which statements are asked for; all when nothing is given. */
export interface SeriesFilter {
  readonly shard?: string | undefined
  readonly statement?: string | undefined
}

interface Series {
  readonly shard: string
  readonly statement: string
  readonly histogram: RotatingHistogram
}

/** Rotating histograms by shard and statement, so many at most; those that come later share the statement `other`. */
export class SeriesSet {
  readonly #windows: Windows
  readonly #maxSeries: number
  readonly #all = new Map<string, Series>()
  /** The router passes the same frozen attributes for the same series. */
  readonly #byIdentity = new WeakMap<TelemetryAttributes, Series>()

  constructor(windows: Windows, maxSeries: number) {
    this.#windows = windows
    this.#maxSeries = maxSeries
  }

  record(value: number, attributes: TelemetryAttributes): void {
    const known = this.#byIdentity.get(attributes) ?? this.#seriesOf(attributes)
    known.histogram.record(value, this.#windows.nowMs())
  }

  /** All values that fit, merged. */
  merged({ shard, statement }: SeriesFilter = {}): Histogram {
    const merged = new Histogram()
    for (const series of this.#all.values()) {
      if (shard !== undefined && series.shard !== shard) continue
      if (statement !== undefined && series.statement !== statement) continue
      series.histogram.mergeInto(merged, this.#windows.nowMs())
    }
    return merged
  }

  pairs(): readonly { readonly shard: string; readonly statement: string }[] {
    return [...this.#all.values()].map(({ shard, statement }) => ({ shard, statement }))
  }

  #seriesOf(attributes: TelemetryAttributes): Series {
    const shard = String(attributes.shard ?? '')
    let statement = String(attributes.statement ?? '')
    let key = JSON.stringify([shard, statement])
    if (!this.#all.has(key) && this.#all.size >= this.#maxSeries) {
      statement = 'other'
      key = JSON.stringify([shard, statement])
    }
    const histogram = () => new RotatingHistogram({ windowMs: this.#windows.windowMs, windows: this.#windows.windows })
    const series = this.#all.get(key) ?? { shard, statement, histogram: histogram() }
    this.#all.set(key, series)
    this.#byIdentity.set(attributes, series)
    return series
  }
}
