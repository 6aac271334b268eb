import type { Balance } from './read-settings.ts'
import type { Replica } from './replica.ts'

/** Chooses among replicas that are all fit. */
export class ReplicaBalance {
  readonly #balance: Balance
  #turn = 0

  constructor(balance: Balance) {
    this.#balance = balance
  }

  choose(fit: readonly Replica[]): Replica | undefined {
    if (fit.length <= 1) return fit[0]
    switch (this.#balance) {
      case 'round-robin':
        return fit[this.#turn++ % fit.length]
      case 'least-outstanding':
        return this.#leastOutstanding(fit)
      case 'weighted':
        return smoothWeighted(fit)
    }
  }

  // Ties go round, or the first would get everything while nobody is busy.
  #leastOutstanding(fit: readonly Replica[]): Replica {
    const start = this.#turn++ % fit.length
    let best = fit[start]!
    for (let step = 1; step < fit.length; step++) {
      const replica = fit[(start + step) % fit.length]!
      if (replica.outstanding < best.outstanding) best = replica
    }
    return best
  }
}

// Smooth weighted round robin: each turn everybody earns its weight and the richest pays for all.
function smoothWeighted(fit: readonly Replica[]): Replica {
  let best = fit[0]!
  let total = 0
  for (const replica of fit) {
    replica.credit += replica.weight
    total += replica.weight
    if (replica.credit > best.credit) best = replica
  }
  best.credit -= total
  return best
}
