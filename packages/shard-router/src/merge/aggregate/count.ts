import type { Accumulator } from './accumulator.ts'

/** The sum of counts: exact beyond 2^53. */
export class CountAccumulator implements Accumulator {
  readonly #position: number
  #total = 0n

  constructor(position: number) {
    this.#position = position
  }

  add(row: readonly (string | null)[]): void {
    this.#total += BigInt(row[this.#position] ?? 0)
  }

  result(): string {
    return this.#total.toString()
  }
}
