import { addDecimals, type Decimal, readDecimal, writeDecimal } from '../decimal.ts'
import { typeOids } from '../value-order.ts'
import type { Accumulator } from './accumulator.ts'

/** Types whose sums are added exactly here: bigint (of integers) and numeric. */
export function sumIsExact(oid: number): boolean {
  return oid === typeOids.int8 || oid === typeOids.numeric
}

const bigintLimit = 2n ** 63n

/** The sum of sums; NULL when every part is NULL. */
export class SumAccumulator implements Accumulator {
  readonly #position: number
  readonly #bigint: boolean
  #total: Decimal | undefined

  constructor(position: number, oid: number) {
    this.#position = position
    this.#bigint = oid === typeOids.int8
  }

  add(row: readonly (string | null)[]): void {
    const value = row[this.#position]
    if (value === null || value === undefined) return
    const part = readDecimal(value)
    this.#total = this.#total ? addDecimals(this.#total, part) : part
  }

  /** @throws RangeError when a bigint sum overflows, as PostgreSQL would (22003). */
  result(): string | null {
    if (!this.#total) return null
    if (this.#bigint && (this.#total.digits >= bigintLimit || this.#total.digits < -bigintLimit)) {
      throw new RangeError('bigint out of range')
    }
    return writeDecimal(this.#total)
  }
}
