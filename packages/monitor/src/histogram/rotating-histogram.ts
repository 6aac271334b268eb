import { Histogram, type HistogramOptions } from './histogram.ts'

export interface RotatingHistogramOptions extends HistogramOptions {
  readonly windowMs: number
  /** How many windows are kept, the current one included. */
  readonly windows: number
}

/** A histogram of the last `windows * windowMs`: memory is bounded, and old values leave by whole windows. */
export class RotatingHistogram {
  readonly #options: RotatingHistogramOptions
  readonly #windows: { readonly number: number; readonly histogram: Histogram }[] = []

  constructor(options: RotatingHistogramOptions) {
    this.#options = options
  }

  /** `nowMs` is monotonic. */
  record(value: number, nowMs: number): void {
    const number = Math.floor(nowMs / this.#options.windowMs)
    let current = this.#windows.at(-1)
    if (current === undefined || number > current.number) {
      const { relativeError, smallest } = this.#options
      current = { number, histogram: new Histogram({ relativeError, smallest }) }
      this.#windows.push(current)
      this.#forget(number)
    }
    current.histogram.record(value)
  }

  /** Adds what is still kept to `into`. */
  mergeInto(into: Histogram, nowMs: number): Histogram {
    this.#forget(Math.floor(nowMs / this.#options.windowMs))
    for (const { histogram } of this.#windows) into.merge(histogram)
    return into
  }

  #forget(number: number): void {
    const oldest = number - this.#options.windows + 1
    while (this.#windows[0] !== undefined && this.#windows[0].number < oldest) this.#windows.shift()
  }
}
