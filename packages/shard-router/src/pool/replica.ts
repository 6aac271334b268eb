import { compareLsn } from '@shardwright/core'
import type { ReplicaState } from './replica-probe.ts'
import type { Server } from './server.ts'

/** A replica and what the last probes said of it. */
export class Replica {
  readonly server: Server
  readonly weight: number
  #fails = 0
  #state: ReplicaState | undefined
  #reason: string | undefined
  /** Reads that it owes, for weighted turns. */
  credit = 0

  constructor(server: Server, weight: number) {
    this.server = server
    this.weight = weight
  }

  get state(): ReplicaState | undefined {
    return this.#state
  }

  /** Why it gets no reads; undefined when it does. */
  get asideBecause(): string | undefined {
    return this.#reason
  }

  get healthy(): boolean {
    return this.#state !== undefined && this.#reason === undefined && this.server.guard.closed
  }

  get outstanding(): number {
    return this.server.outstanding
  }

  hasReached(lsn: string): boolean {
    return this.#state !== undefined && compareLsn(this.#state.replayed, lsn) >= 0
  }

  /** Replay only moves forward within one incarnation, so that a position once seen holds. */
  sawReplay(replayed: string): void {
    if (this.#state !== undefined && compareLsn(replayed, this.#state.replayed) > 0) {
      this.#state = { ...this.#state, replayed }
    }
  }

  probed(state: ReplicaState): void {
    this.#fails = 0
    this.#state = state
    this.#reason = undefined
  }

  /** Sets it aside at once: it answers, but not as a replica of this shard. */
  refused(reason: string): void {
    this.#reason = reason
  }

  /** True when this failure sets it aside. */
  probeFailed(reason: string, maxFails: number): boolean {
    this.#fails++
    if (this.#fails < maxFails || this.#reason !== undefined) return false
    this.#reason = reason
    return true
  }
}
