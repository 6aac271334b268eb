import { CacheError } from '../errors/cache-error.ts'

export interface LoadLimit {
  /** Loads at the same time of one group. */
  readonly concurrent: number
  /** Loads that may wait for their turn. */
  readonly queued: number
}

interface Group {
  running: number
  readonly waiting: (() => void)[]
}

/** Keeps a cold cache from taking a shard down: so many loads of a group at a time, so many in the queue, no more. */
export class LoadLimiter {
  readonly #limit: LoadLimit
  readonly #groups = new Map<string, Group>()

  constructor(limit: LoadLimit) {
    this.#limit = limit
  }

  async run<T>(name: string, work: () => Promise<T>): Promise<T> {
    const group = this.#groups.get(name) ?? { running: 0, waiting: [] }
    this.#groups.set(name, group)
    await this.#enter(name, group)
    try {
      return await work()
    } finally {
      this.#leave(name, group)
    }
  }

  async #enter(name: string, group: Group): Promise<void> {
    if (group.running < this.#limit.concurrent) {
      group.running += 1
      return
    }
    if (group.waiting.length >= this.#limit.queued) throw saturated(name, this.#limit)
    // The one who leaves hands over its place, so `running` stays.
    await new Promise<void>((resolve) => group.waiting.push(resolve))
  }

  #leave(name: string, group: Group): void {
    const next = group.waiting.shift()
    if (next) {
      next()
      return
    }
    group.running -= 1
    if (group.running === 0) this.#groups.delete(name)
  }
}

function saturated(group: string, limit: LoadLimit): CacheError {
  return new CacheError({
    code: 'CACHE_LOADS_SATURATED',
    message: `${limit.concurrent} loads of group '${group}' are under way and ${limit.queued} wait: no more are taken.`,
    hint: 'Retry later, or raise loadLimit when the shard can carry more.',
    details: { group, ...limit },
  })
}
