import { type CommitToken, compareLsn } from '@shardwright/core'
import type { ReadSettings } from './read-settings.ts'
import type { ReplicaState } from './replica-probe.ts'
import type { Server } from './server.ts'

type FailureSettings = Pick<ReadSettings, 'maxFails' | 'failTimeoutMs'>

/** A replica and what the last probes said of it. */
export class Replica {
  readonly server: Server
  readonly weight: number
  #fails = 0
  #state: ReplicaState | undefined
  #reason: string | undefined
  #restsUntil = 0
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

  /** True when it has replayed the log of the token's own timeline so far: of another one the same number means nothing. */
  hasReached(token: Pick<CommitToken, 'lsn' | 'incarnation'>): boolean {
    return this.follows(token) && compareLsn(this.#state?.replayed ?? '0/0', token.lsn) >= 0
  }

  follows({ incarnation }: Pick<CommitToken, 'incarnation'>): boolean {
    return this.#state !== undefined && incarnation.endsWith(`:${this.#state.timeline}`)
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

  /** True while it is not asked, after failures. */
  rests(now: number): boolean {
    return now < this.#restsUntil
  }

  /** True when this failure sets it aside. */
  probeFailed(reason: string, now: number, { maxFails, failTimeoutMs }: FailureSettings): boolean {
    this.#fails++
    if (this.#fails < maxFails) return false
    this.#restsUntil = now + failTimeoutMs
    if (this.#reason !== undefined) return false
    this.#reason = reason
    return true
  }
}
