export interface RotatingCounterOptions {
  readonly windowMs: number
  /** How many windows are kept, the current one included. */
  readonly windows: number
}

/** A count of the last `windows * windowMs`. */
export class RotatingCounter {
  readonly #options: RotatingCounterOptions
  readonly #windows: { readonly number: number; sum: number }[] = []

  constructor(options: RotatingCounterOptions) {
    this.#options = options
  }

  /** `nowMs` is monotonic. */
  add(value: number, nowMs: number): void {
    const number = Math.floor(nowMs / this.#options.windowMs)
    const current = this.#windows.at(-1)
    if (current !== undefined && number <= current.number) current.sum += value
    else {
      this.#windows.push({ number, sum: value })
      this.#forget(number)
    }
  }

  total(nowMs: number): number {
    this.#forget(Math.floor(nowMs / this.#options.windowMs))
    return this.#windows.reduce((sum, window) => sum + window.sum, 0)
  }

  #forget(number: number): void {
    const oldest = number - this.#options.windows + 1
    while (this.#windows[0] !== undefined && this.#windows[0].number < oldest) this.#windows.shift()
  }
}
