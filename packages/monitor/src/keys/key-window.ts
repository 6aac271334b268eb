import { CountMin } from './count-min.ts'

export interface KeyWindowOptions {
  readonly top: number
  readonly width: number
  readonly depth: number
}

/** A key with less than this part of an even share of the list is not hot, whatever the others have. */
const smallestShare = 8

/** The uses of one family's keys in one window: a sketch of all, and the names of the most frequent. */
export class KeyWindow {
  readonly #sketch: CountMin
  readonly #kept: number
  readonly #candidates = new Map<string, number>()
  /** What a key needs more than to become a candidate, once there are enough. */
  #threshold = 0

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
    if (uses <= this.#threshold || uses * this.#kept * smallestShare < this.#sketch.total) return
    this.#candidates.set(key, uses)
    // Pruned seldom and then by half, so that keys of equal frequency do not push each other out at every use.
    if (this.#candidates.size > this.#kept * 2) this.#prune()
  }

  uses(key: string): number {
    return this.#sketch.estimate(key)
  }

  candidates(): readonly string[] {
    return [...this.#candidates.keys()]
  }

  #prune(): void {
    const sorted = [...this.#candidates].sort((a, b) => b[1] - a[1])
    for (const [key] of sorted.slice(this.#kept)) this.#candidates.delete(key)
    this.#threshold = sorted[this.#kept]?.[1] ?? 0
  }
}
