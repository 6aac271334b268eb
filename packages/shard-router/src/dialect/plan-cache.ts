import type { PreparedPlan } from '../plan/prepared-plan.ts'

/** Plans by the SQL text of the statement, which is its shape; the least recently used go first. */
export class PlanCache {
  readonly #plans = new Map<string, PreparedPlan>()
  readonly #limit: number

  constructor(limit: number) {
    this.#limit = limit
  }

  get(sql: string): PreparedPlan | undefined {
    return this.#plans.get(sql)
  }

  set(sql: string, plan: PreparedPlan): void {
    if (this.#plans.size >= this.#limit) this.#dropOldest()
    this.#plans.set(sql, plan)
  }

  /** A quarter at once: a hit then needs no bookkeeping, and a shape in use comes back at its next miss. */
  #dropOldest(): void {
    let left = Math.ceil(this.#limit / 4)
    for (const key of this.#plans.keys()) {
      if (left-- === 0) return
      this.#plans.delete(key)
    }
  }
}
