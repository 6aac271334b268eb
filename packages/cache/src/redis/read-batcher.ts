import { groupBySlot } from './key-slot.ts'
import type { RedisCommands } from './redis-commands.ts'

interface Waiting {
  readonly key: string
  readonly resolve: (value: Buffer | undefined) => void
  readonly reject: (error: unknown) => void
}

/** Reads of one tick travel as one MGET (one per slot on a cluster), under one deadline. */
export class ReadBatcher {
  readonly #commands: RedisCommands
  #waiting: Waiting[] = []

  constructor(commands: RedisCommands) {
    this.#commands = commands
  }

  /** The frame, or `undefined`; rejects past the budget or while the breaker is open. */
  read(key: string): Promise<Buffer | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ key, resolve, reject })
      // A full batch leaves at once: the server works on it while the next one is gathered.
      if (this.#waiting.length >= fullBatch) this.#flush()
      else if (this.#waiting.length === 1) process.nextTick(() => this.#flush())
    })
  }

  #flush(): void {
    const waiting = this.#waiting
    this.#waiting = []
    if (waiting.length === 0) return
    if (!this.#commands.cluster) {
      this.#send(waiting)
      return
    }
    const byKey = Map.groupBy(waiting, (one) => one.key)
    for (const group of groupBySlot([...byKey.keys()], true)) this.#send(group.flatMap((key) => byKey.get(key)!))
  }

  #send(batch: readonly Waiting[]): void {
    this.#commands
      .guarded(async () => (await this.#commands.call('MGET', ...batch.map((one) => one.key))) as (Buffer | null)[])
      .then(
        (frames) => {
          for (const [index, one] of batch.entries()) one.resolve(frames[index] ?? undefined)
        },
        (error: unknown) => {
          for (const one of batch) one.reject(error)
        },
      )
  }
}

const fullBatch = 32
