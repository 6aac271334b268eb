import type { Compare } from '../value-order.ts'
import type { Accumulator } from './accumulator.ts'

/** The least (sign 1) or greatest (sign -1) of the partial values. */
export class ExtremeAccumulator implements Accumulator {
  readonly #position: number
  readonly #compare: Compare
  readonly #sign: 1 | -1
  #best: string | null = null

  constructor(position: number, compare: Compare, sign: 1 | -1) {
    this.#position = position
    this.#compare = compare
    this.#sign = sign
  }

  add(row: readonly (string | null)[]): void {
    const value = row[this.#position]
    if (value === null || value === undefined) return
    if (this.#best === null || this.#compare(value, this.#best) * this.#sign < 0) this.#best = value
  }

  result(): string | null {
    return this.#best
  }
}
