import { Random } from '../random.ts'
import type { World } from '../world/world.ts'
import { type Case, caseTags, createCase } from './case.ts'
import { clauses, exclusionOf, pairOf, possiblePairs } from './clauses.ts'

/** How often each pair of clauses has to be seen in statements that were answered. */
export const goal = 50

const known = new Set(clauses)
/** Tries for one case; more would cost more than the case itself. */
const attempts = 24
/** Further clauses that a case should have. */
const companions = 3
/** A pair that could not be made waits for so many cases. */
const patience = 20

/** Chooses cases that have the pairs of clauses which are behind: a function of the seed and of the counts so far. */
export class Steering {
  readonly #seed: string
  readonly #counts: ReadonlyMap<string, number>
  readonly #waiting = new Map<string, number>()

  /** `counts`: how often each pair was seen; read again for each case. */
  constructor(seed: string, counts: ReadonlyMap<string, number>) {
    this.#seed = seed
    this.#counts = counts
  }

  /** Every fifth case is as the generator makes it; the others go for a pair that is behind. */
  next(number: number, world: World): Case {
    const target = number % 5 === 0 ? undefined : this.#target(number)
    if (target === undefined) return createCase(this.#seed, number, world)
    const wish = this.#companions(target.split(' + '), number)
    let best: Case | undefined
    let bestGain = 0
    let found = false
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const own = createCase(this.#seed, number, world, { wish, attempt })
      const gain = this.#gain(own)
      found ||= hasPair(own, target)
      if (best && gain <= bestGain) continue
      best = own
      bestGain = gain
    }
    if (!found) this.#waiting.set(target, number + patience)
    return best as Case
  }

  /** One of the pairs that are the furthest behind. */
  #target(number: number): string | undefined {
    let least = goal
    let candidates: string[] = []
    for (const pair of possiblePairs) {
      const count = this.#counts.get(pair) ?? 0
      if (count > least || count >= goal || (this.#waiting.get(pair) ?? 0) > number) continue
      if (count < least) candidates = []
      least = count
      candidates.push(pair)
    }
    return candidates.length === 0 ? undefined : new Random(`${this.#seed}/target/${number}`).pick(candidates)
  }

  /** Clauses that are behind in their pairs with all of these: one case then serves several pairs. */
  #companions(clausesOfTarget: readonly string[], number: number): ReadonlySet<string> {
    const random = new Random(`${this.#seed}/companions/${number}`)
    const wish = new Set(clausesOfTarget)
    for (let i = 0; i < companions; i++) {
      const open = clauses.filter((clause) => [...wish].every((own) => this.#lacks(clause, own)))
      if (open.length === 0) break
      wish.add(random.pick(open))
    }
    return wish
  }

  #lacks(a: string, b: string): boolean {
    return a !== b && exclusionOf(a, b) === undefined && (this.#counts.get(pairOf(a, b)) ?? 0) < goal
  }

  #gain(own: Case): number {
    let gain = 0
    for (const pair of pairsOf(caseTags(own))) {
      const missing = Math.max(0, goal - (this.#counts.get(pair) ?? 0))
      gain += missing * missing
    }
    return gain
  }
}

function hasPair(own: Case, pair: string): boolean {
  const tags = caseTags(own)
  return pair.split(' + ').every((tag) => tags.has(tag))
}

/** The pairs of counted clauses among the tags. */
export function pairsOf(tags: ReadonlySet<string>): string[] {
  const own = [...tags].filter((tag) => known.has(tag))
  return own.flatMap((a, index) => own.slice(index + 1).map((b) => pairOf(a, b)))
}
