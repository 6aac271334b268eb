import { LagHistory } from './lag-history.ts'

/** What is remembered of a shard from round to round. */
export class ShardMemory {
  readonly lag = new LagHistory()
  readonly #counters = new Map<string, { readonly value: number; readonly atMs: number }>()

  /**
   * How far a counter went since the last round: `undefined` the first time, and when it was reset, as after a crash or
   * pg_stat_reset().
   */
  growth(counter: string, value: number | undefined, nowMs: number): Growth | undefined {
    const before = this.#counters.get(counter)
    if (value === undefined) return undefined
    this.#counters.set(counter, { value, atMs: nowMs })
    if (before === undefined || value < before.value || nowMs <= before.atMs) return undefined
    const by = value - before.value
    return { by, perSecond: (by * 1000) / (nowMs - before.atMs) }
  }
}

export interface Growth {
  readonly by: number
  readonly perSecond: number
}
