import { crashServer, nextSteps, type Rules } from './protocol.ts'
import { cloneWorld, keyOf, newWorld, type World } from './state.ts'

/** What one transaction, with the recoverers that are at it, can do next. */
export interface CellStep {
  readonly name: string
  readonly to: number
  /** Recoverers that become idle (1) or leave idleness (-1). */
  readonly idle: -1 | 0 | 1
  /** True when an idle recoverer does it. */
  readonly byIdle: boolean
  /** True when it takes one of the faults that may still happen. */
  readonly fault: boolean
  /** The server that crashes: under all transactions at once. */
  readonly crash: 0 | 1 | 2 | undefined
}

/**
 * Transactions meet only in a recoverer, which is at one of them at a time, in a crash, and in the number of faults. So the
 * steps of one are worked out once for each of its states, whatever the others do: a state of the whole is a few numbers.
 */
export class Cells {
  readonly #rules: Rules
  readonly #ids = new Map<string, number>()
  readonly #worlds: World[] = []
  readonly #steps: (readonly CellStep[] | undefined)[] = []
  readonly #broken: (string | undefined)[] = []
  readonly #crashed: number[][] = []
  readonly #brokenPromise: (world: World) => string | undefined

  constructor(rules: Rules, brokenPromise: (world: World) => string | undefined) {
    this.#rules = rules
    this.#brokenPromise = brokenPromise
  }

  get start(): number {
    return this.#idOf(newWorld(1, 0, 1))
  }

  brokenPromise(id: number): string | undefined {
    return this.#broken[id]
  }

  /** Where a transaction is after a crash that came with the fault of another. */
  crashed(id: number, shard: 0 | 1 | 2): number {
    const known = this.#crashed[id]?.[shard]
    if (known !== undefined) return known
    const after = this.#afterCrash(id, shard)
    this.#crashed[id] = Object.assign(this.#crashed[id] ?? [], { [shard]: after })
    return after
  }

  steps(id: number): readonly CellStep[] {
    const known = this.#steps[id]
    if (known !== undefined) return known
    const steps = this.#workOut(this.#worlds[id]!)
    this.#steps[id] = steps
    return steps
  }

  #workOut(world: World): CellStep[] {
    const engaged = world.recoverers.length
    const full = cloneWorld(world)
    full.recoverers.push({ at: 'idle', of: 0 })
    const steps = new Map<string, CellStep>()
    for (const step of nextSteps(full, this.#rules)) {
      const next = cloneWorld(full)
      step.apply(next)
      const fault = next.faults < full.faults
      const busy = next.recoverers.filter(({ at }) => at !== 'idle')
      const to = this.#idOf({ ...next, recoverers: busy, faults: full.faults })
      const idle = (engaged - busy.length) as CellStep['idle']
      const byIdle = step.name.startsWith(`R${engaged}:`)
      if (to !== this.#idOf(world) || step.crash !== undefined) {
        const key = `${to} ${idle} ${byIdle} ${fault} ${step.crash}`
        steps.set(key, { name: step.name, to, idle, byIdle, fault, crash: step.crash })
      }
    }
    return [...steps.values()]
  }

  #afterCrash(id: number, shard: 0 | 1 | 2): number {
    const next = cloneWorld(this.#worlds[id]!)
    crashServer(next, shard)
    return this.#idOf(next)
  }

  #idOf(world: World): number {
    const key = keyOf(world)
    const known = this.#ids.get(key)
    if (known !== undefined) return known
    const id = this.#worlds.length
    this.#ids.set(key, id)
    this.#worlds.push(cloneWorld(world))
    this.#broken.push(this.#brokenPromise(world))
    return id
  }
}
