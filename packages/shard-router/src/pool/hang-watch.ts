import { unanswered } from './driver-error.ts'
import { endQuietly, openClient } from './open-client.ts'
import type { ServerContext } from './server-context.ts'
import type { ServerGuard } from './server-guard.ts'
import type { Session } from './session.ts'
import type { SessionPool } from './session-pool.ts'
import { destroySocket } from './stop-statement.ts'

/** Questions in a row without an answer that make it certain. */
const mostSilences = 2

/**
 * Finds out that a server hangs, or cannot be reached any more, while statements without a deadline run on it: a long
 * silence may be a long statement, so that the server is asked something small on a connection of its own. TCP would notice
 * after a quarter of an hour, or two hours.
 */
export class HangWatch {
  readonly #context: ServerContext
  readonly #sessions: SessionPool
  readonly #guard: ServerGuard
  readonly #timeoutMs: number
  #timer: NodeJS.Timeout | undefined
  /** Bytes that each session had received when last looked at. */
  #received = new Map<Session, number>()
  #silences = 0
  #looking = false
  #stopped = false

  constructor(context: ServerContext, sessions: SessionPool, guard: ServerGuard, timeoutMs: number) {
    this.#context = context
    this.#sessions = sessions
    this.#guard = guard
    this.#timeoutMs = timeoutMs
  }

  /** Called when a session is lent: watches until none is. */
  wake(): void {
    if (this.#timer !== undefined || this.#stopped) return
    this.#timer = setInterval(() => void this.#look(), this.#timeoutMs)
    this.#timer.unref()
  }

  stop(): void {
    this.#stopped = true
    this.#sleep()
  }

  #sleep(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#received.clear()
    this.#silences = 0
  }

  async #look(): Promise<void> {
    if (this.#looking) return
    const { lent } = this.#sessions
    if (lent.length === 0) return this.#sleep()
    const before = this.#received
    const working = lent.filter((session) => !session.dead && session.working)
    this.#received = new Map(working.map((session) => [session, session.receivedBytes]))
    const silent = working.filter((session) => before.get(session) === session.receivedBytes)
    if (silent.length === 0) {
      this.#silences = 0
      return
    }
    this.#looking = true
    this.#silences = (await this.#answers()) ? 0 : this.#silences + 1
    this.#looking = false
    if (this.#silences >= mostSilences) this.#giveUp(silent)
  }

  #giveUp(silent: readonly Session[]): void {
    const { telemetry, shard, address } = this.#context
    const attributes = { shard, server: address.label }
    telemetry.log('warn', `${address.label} does not answer: ${silent.length} statements are given up`, attributes)
    for (const session of silent) destroySocket(session)
    this.#guard.failed(unanswered(this.#context))
  }

  /** Not counted against the limit of connections: those that hang may have used it up. */
  async #answers(): Promise<boolean> {
    const { shard, address, session, applicationName } = this.#context
    const extras = { applicationName, connectTimeoutMs: this.#timeoutMs }
    const late = AbortSignal.timeout(this.#timeoutMs)
    try {
      const client = await openClient(shard, address, session, extras, late)
      const cut = () => destroySocket({ client })
      late.addEventListener('abort', cut, { once: true })
      try {
        await client.query('select 1')
        return true
      } finally {
        late.removeEventListener('abort', cut)
        endQuietly(client)
      }
    } catch (error) {
      // Who refuses lives.
      return !late.aborted && (error as { code?: unknown } | null)?.code !== 'SHARD_UNREACHABLE'
    }
  }
}
