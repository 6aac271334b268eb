import type { Clock } from '@shardwright/core'
import type { ShardPlace } from '../../execute/route.ts'

/** A range of hashes, and until when it is in doubt. */
interface Doubt {
  readonly colocationId: number
  readonly min: number
  readonly max: number
  readonly untilMs: number
}

/**
 * Shards that a node did not find where its metadata says. A move is told to the nodes one after the other, and one that
 * has not heard of it yet may not for as long as Citus' recovery takes: until then the coordinator, which decided the move,
 * is asked.
 */
export class ShardDoubts {
  readonly #clock: Clock
  #doubts: readonly Doubt[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  add({ group, ordinal }: ShardPlace): void {
    const { min, max } = group.shards[ordinal] ?? {}
    if (min === undefined || max === undefined) return
    const untilMs = this.#clock.monotonicMs() + doubtMs
    const { colocationId } = group
    const others = this.#doubts.filter((known) => !(known.colocationId === colocationId && known.min === min))
    this.#doubts = [...others, { colocationId, min, max, untilMs }]
  }

  /** True for the shard itself, and for those that a split made of it. */
  has({ group, ordinal }: ShardPlace): boolean {
    if (this.#doubts.length === 0) return false
    const now = this.#clock.monotonicMs()
    this.#doubts = this.#doubts.filter(({ untilMs }) => untilMs > now)
    const { min, max } = group.shards[ordinal] ?? {}
    if (min === undefined || max === undefined) return false
    return this.#doubts.some(
      (doubt) => doubt.colocationId === group.colocationId && doubt.min <= max && doubt.max >= min,
    )
  }
}

// A node that still errs afterwards costs one statement that is sent again.
const doubtMs = 10_000
