const nothing: ReadonlySet<string> = new Set()

/** How much likelier a choice becomes that can bring a wished clause. */
const wishWeight = 12
const wishChance = 0.85

/** A repeatable source of choices: the same seed text (and wish) gives the same choices on every machine. */
export class Random {
  /** Clauses that the run has too few of: choices that lead to them are taken more often. */
  readonly wish: ReadonlySet<string>
  #state: number

  constructor(seed: string, wish = nothing) {
    this.wish = wish
    let hash = 2166136261
    for (const char of seed) hash = Math.imul(hash ^ (char.codePointAt(0) as number), 16777619)
    this.#state = hash >>> 0
    for (let i = 0; i < 8; i++) this.next()
  }

  /** From 0 (included) to 1 (excluded). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }

  /** A whole number below `limit`. */
  below(limit: number): number {
    return Math.floor(this.next() * limit)
  }

  between(low: number, high: number): number {
    return low + this.below(high - low + 1)
  }

  /** `clauses`: what a yes can bring. */
  chance(probability: number, ...clauses: readonly string[]): boolean {
    return this.next() < (this.wishes(clauses) ? Math.max(probability, wishChance) : probability)
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T
  }

  /** One of the choices, each as likely as its weight says; `clauses`: what a choice can bring. */
  weighted<T>(choices: readonly (readonly [weight: number, value: T, ...clauses: string[]])[]): T {
    const weights = choices.map(([weight, , ...clauses]) => (this.wishes(clauses) ? weight * wishWeight : weight))
    let at = this.next() * weights.reduce((sum, weight) => sum + weight, 0)
    for (const [index, [, value]] of choices.entries()) {
      at -= weights[index] as number
      if (at < 0) return value
    }
    return (choices[choices.length - 1] as readonly [number, T])[1]
  }

  /** Some of the values, at least `least`, in any order. */
  some<T>(values: readonly T[], least: number, most: number): T[] {
    const left = [...values]
    const taken: T[] = []
    const count = Math.min(this.between(least, most), left.length)
    while (taken.length < count) taken.push(...left.splice(this.below(left.length), 1))
    return taken
  }

  wishes(clauses: readonly string[]): boolean {
    return clauses.some((clause) => this.wish.has(clause))
  }
}
