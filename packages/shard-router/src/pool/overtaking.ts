import type { Clock } from '@shardwright/core'
import type { PipelinedClient } from './pipelined-client.ts'
import type { PipelinedLane } from './pipelined-lane.ts'
import type { PipelinedQuery } from './pipelined-query.ts'
import type { StatementResult } from './shard-pool.ts'

type Send = (client: PipelinedClient, query: PipelinedQuery) => Promise<StatementResult>

/**
 * Lets reads overtake what holds them up on a pipelined client: statements that wait for a lock, or one that is slow for
 * once. They are sent on another client too, and the first answer counts. Writes wait, as they must not run twice.
 */
export class Overtaking {
  readonly #clock: Clock
  readonly #lane: PipelinedLane
  readonly #heldMs: number
  readonly #send: Send
  #timer: NodeJS.Timeout | undefined
  #lastLook = 0

  /** A client that has answered nothing for `heldMs` is held up. */
  constructor(clock: Clock, lane: PipelinedLane, heldMs: number, send: Send) {
    this.#clock = clock
    this.#lane = lane
    this.#heldMs = heldMs
    this.#send = send
  }

  /** Looks at the clients for as long as something is under way. */
  watch(): void {
    if (this.#timer !== undefined) return
    this.#lastLook = this.#clock.monotonicMs()
    this.#timer = setInterval(() => this.#look(), this.#heldMs)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** Something on the client waits: nothing more is sent there until it is done. */
  overtake(client: PipelinedClient): void {
    client.setAside()
    const other = this.#lane.pick()
    if (other !== undefined && !other.isAside) this.#sendReads(client)
    else this.#lane.grow()?.then(() => this.#sendReads(client), ignore)
  }

  #look(): void {
    if (this.#lane.inFlight === 0) {
      this.stop()
      return
    }
    const now = this.#clock.monotonicMs()
    const late = now - this.#lastLook > this.#heldMs * 2
    this.#lastLook = now
    // This process stood still: the answers may be there, not read yet.
    if (late) return
    const heldMs = Math.max(this.#heldMs, this.#lane.usualMs * 20)
    for (const client of this.#lane.clients) {
      if (!client.isAside && client.isStalled(now, heldMs)) this.overtake(client)
    }
  }

  #sendReads(client: PipelinedClient): void {
    // The first is what all wait for.
    const [, ...behind] = client.underWay
    for (const query of behind) {
      const { access, followedBy } = query.statement
      if (access !== 'read' || followedBy !== undefined || query.isOvertaken) continue
      const other = this.#lane.pick()
      if (other === undefined || other.isAside) return
      query.isOvertaken = true
      this.#send(other, query).then((result) => {
        query.isAnswered = true
        query.resolve(result)
      }, ignore)
    }
  }
}

// The one that was overtaken has still to answer.
function ignore(): void {}
