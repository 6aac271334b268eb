/**
 * How often texts were seen, in fixed memory (count-min sketch with conservative update): never too low; too high by at most
 * `2.72 / width` of all that was seen, but for one text in `2.72 ** depth`.
 */
export class CountMin {
  readonly #width: number
  readonly #depth: number
  readonly #counts: Float64Array
  #total = 0

  constructor(width: number, depth: number) {
    this.#width = width
    this.#depth = depth
    this.#counts = new Float64Array(width * depth)
  }

  get total(): number {
    return this.#total
  }

  /** Counts one more and returns the estimate. */
  add(text: string): number {
    this.#total++
    const next = this.estimate(text) + 1
    const [first, step] = hashes(text)
    for (let row = 0; row < this.#depth; row++) {
      const cell = this.#cell(row, first, step)
      if ((this.#counts[cell] as number) < next) this.#counts[cell] = next
    }
    return next
  }

  estimate(text: string): number {
    const [first, step] = hashes(text)
    let least = Number.POSITIVE_INFINITY
    for (let row = 0; row < this.#depth; row++) {
      const count = this.#counts[this.#cell(row, first, step)] as number
      if (count < least) least = count
    }
    return least
  }

  #cell(row: number, first: number, step: number): number {
    return row * this.#width + (((first + Math.imul(row, step)) >>> 0) % this.#width)
  }
}

/** Two hashes of one pass (FNV-1a and a multiplicative one), from which the rows' are made; any text can be hit on purpose. */
function hashes(text: string): readonly [number, number] {
  let a = 0x811c9dc5
  let b = 0x9e3779b9
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    a = Math.imul(a ^ unit, 0x01000193)
    b = Math.imul(b + unit, 0x85ebca6b) ^ (b >>> 13)
  }
  // Short texts leave the upper bits of FNV alone.
  a = Math.imul(a ^ (a >>> 16), 0x7feb352d)
  return [a ^ (a >>> 15), (b ^ (b >>> 16)) | 1]
}
