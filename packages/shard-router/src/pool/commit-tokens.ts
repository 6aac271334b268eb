import type { CommitToken } from '@shardwright/core'
import { logPosition } from './log-position.ts'
import type { Server } from './server.ts'
import { untilAbandoned } from './until-abandoned.ts'

// The commit is acknowledged: a server that hangs right then does not hold its caller.
const answerTimeoutMs = 2_000

/**
 * Reads the log's position after commits: one query for all commits that were acknowledged before it was sent. A commit
 * that comes while a query is under way must wait for the next, as that one may have looked too early.
 */
export class CommitTokens {
  readonly #shard: string
  readonly #primary: () => Server
  readonly #incarnation: () => string | undefined
  readonly #epoch: () => number
  /** Not yet sent: commits until then may join. */
  #waiting: Promise<CommitToken> | undefined
  #running: Promise<CommitToken> | undefined
  #lastIncarnation: string | undefined

  /** `incarnation` is that of the primary, known since its sessions were opened. */
  constructor(shard: string, primary: () => Server, incarnation: () => string | undefined, epoch: () => number) {
    this.#shard = shard
    this.#primary = primary
    this.#incarnation = incarnation
    this.#epoch = epoch
  }

  read(): Promise<CommitToken> {
    this.#waiting ??= this.#turn().then(() => {
      this.#waiting = undefined
      this.#running = this.#ask()
      return this.#running
    })
    return this.#waiting
  }

  // All commits of one batch of answers call within one turn of the event loop.
  async #turn(): Promise<void> {
    if (this.#running === undefined) await new Promise<void>((resolve) => process.nextTick(resolve))
    else await this.#running.catch(ignore)
  }

  async #ask(): Promise<CommitToken> {
    try {
      for (;;) {
        const primary = this.#primary()
        const { commits, clock } = primary.context
        const position = primary.execute(logPosition(commits).primary)
        // Told to the server too, the deadline would cost a round trip on a session.
        const deadline = clock.monotonicMs() + answerTimeoutMs
        const { rows } = await untilAbandoned(primary.context, position, { deadline })
        const incarnation = this.#incarnation()
        const known = this.#lastIncarnation
        this.#lastIncarnation = incarnation
        // A failover in between: the position may be one of the old primary's log.
        if (incarnation === undefined || (known !== undefined && known !== incarnation)) continue
        const { lsn } = rows[0] as { lsn: string }
        return Object.freeze({ shard: this.#shard, lsn, incarnation, epoch: this.#epoch() })
      }
    } finally {
      this.#running = undefined
    }
  }
}

function ignore(): void {}
