import { CountMin } from './count-min.ts'

export interface KeyWindowOptions {
  readonly top: number
  readonly width: number
  readonly depth: number
}

/** The uses of one family's keys in one window: a sketch of all, and the names of the most frequent. */
export class KeyWindow {
  readonly #sketch: CountMin
  readonly #kept: number
  readonly #candidates = new Map<string, number>()
  /** No candidate has fewer; looked up anew only when one has to leave. */
  #least = 0

  constructor({ top, width, depth }: KeyWindowOptions) {
    this.#sketch = new CountMin(width, depth)
    // Some more than are listed: who is among the first of two windows need not be among them in each.
    this.#kept = top * 2
  }

  get total(): number {
    return this.#sketch.total
  }

  add(key: string): void {
    const uses = this.#sketch.add(key)
    if (uses <= this.#least && this.#candidates.size >= this.#kept) return
    this.#candidates.set(key, uses)
    if (this.#candidates.size > this.#kept) this.#dropLeast()
  }

  uses(key: string): number {
    return this.#sketch.estimate(key)
  }

  candidates(): readonly string[] {
    return [...this.#candidates.keys()]
  }

  #dropLeast(): void {
    let leastKey = ''
    let least = Number.POSITIVE_INFINITY
    let second = Number.POSITIVE_INFINITY
    for (const [key, uses] of this.#candidates) {
      if (uses < least) {
        second = least
        least = uses
        leastKey = key
      } else if (uses < second) second = uses
    }
    this.#candidates.delete(leastKey)
    this.#least = second
  }
}
