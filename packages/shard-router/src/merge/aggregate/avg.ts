import { addDecimals, type Decimal, divideDecimal, readDecimal, writeDecimal } from '../decimal.ts'
import type { Accumulator } from './accumulator.ts'

/** The average from sums and counts, divided once with PostgreSQL's scale. */
export class AvgAccumulator implements Accumulator {
  readonly #sumAt: number
  readonly #countAt: number
  #sum: Decimal | undefined
  #count = 0n

  constructor(sumAt: number, countAt: number) {
    this.#sumAt = sumAt
    this.#countAt = countAt
  }

  add(row: readonly (string | null)[]): void {
    const value = row[this.#sumAt]
    this.#count += BigInt(row[this.#countAt] ?? 0)
    if (value === null || value === undefined) return
    const part = readDecimal(value)
    this.#sum = this.#sum ? addDecimals(this.#sum, part) : part
  }

  result(): string | null {
    if (!this.#sum || this.#count === 0n) return null
    return writeDecimal(divideDecimal(this.#sum, this.#count))
  }
}
