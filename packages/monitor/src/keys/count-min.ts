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
    const hash = hashOf(text)
    const next = this.#least(hash) + 1
    for (let row = 0; row < this.#depth; row++) {
      const cell = this.#cell(row, hash)
      if ((this.#counts[cell] as number) < next) this.#counts[cell] = next
    }
    return next
  }

  estimate(text: string): number {
    return this.#least(hashOf(text))
  }

  #least(hash: number): number {
    let least = Number.POSITIVE_INFINITY
    for (let row = 0; row < this.#depth; row++) {
      const count = this.#counts[this.#cell(row, hash)] as number
      if (count < least) least = count
    }
    return least
  }

  /** Two texts of one hash share all cells: one pair in four thousand million. */
  #cell(row: number, hash: number): number {
    return row * this.#width + ((mixed(hash ^ Math.imul(row + 1, 0x9e3779b9)) >>> 0) % this.#width)
  }
}

/** FNV-1a over UTF-16 units. Whoever chooses keys can make two collide; that makes one look hotter than it is, no more. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return hash
}

/** Spreads what FNV leaves in the lower bits over all of them. */
function mixed(hash: number): number {
  const first = Math.imul(hash ^ (hash >>> 16), 0x7feb352d)
  const second = Math.imul(first ^ (first >>> 15), 0x846ca68b)
  return second ^ (second >>> 16)
}
