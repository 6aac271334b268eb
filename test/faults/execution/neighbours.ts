import { pause } from './disturbance.ts'
import type { WriteLedger } from './write-ledger.ts'

/** What the neighbours of one disturbed shard did, per second, while it was disturbed and around that. */
export interface NeighbourWindow {
  readonly during: number
  readonly around: number
  readonly durationMs: number
}

/** The share of their throughput that neighbours kept: what they did against what they would have done. */
export function shareKept(windows: readonly NeighbourWindow[]): number {
  let done = 0
  let expected = 0
  for (const { during, around, durationMs } of windows) {
    done += during * durationMs
    expected += around * durationMs
  }
  return expected === 0 ? 1 : done / expected
}

/** Watches some shards through a disturbance of another one; before and after are windows too, as machines change their pace. */
export class Neighbours {
  readonly #ledger: WriteLedger
  readonly #shards: readonly string[]

  constructor(ledger: WriteLedger, shards: readonly string[]) {
    this.#ledger = ledger
    this.#shards = shards
  }

  /** Writes of theirs that failed. */
  get failed(): number {
    return this.#sum((shard) => this.#ledger.failedOn(shard))
  }

  async watch(disturbance: () => Promise<void>, healed: () => Promise<void>): Promise<NeighbourWindow> {
    const before = await this.#rate(() => pause(windowMs))
    const during = await this.#rate(disturbance)
    await healed()
    const after = await this.#rate(() => pause(windowMs))
    return { during: during.rate, durationMs: during.durationMs, around: (before.rate + after.rate) / 2 }
  }

  async #rate(work: () => Promise<void>): Promise<{ rate: number; durationMs: number }> {
    const count = () => this.#sum((shard) => this.#ledger.acknowledgedOn(shard))
    const [start, first] = [performance.now(), count()]
    await work()
    const durationMs = performance.now() - start
    return { rate: ((count() - first) / durationMs) * 1_000, durationMs }
  }

  #sum(of: (shard: string) => number): number {
    return this.#shards.reduce((sum, shard) => sum + of(shard), 0)
  }
}

const windowMs = 300
