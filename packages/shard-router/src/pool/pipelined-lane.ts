import { notSent } from './driver-error.ts'
import type { LaneSettings } from './lane-settings.ts'
import { longestTimerMs } from './longest-timer.ts'
import { endQuietly, openLaneClient } from './open-client.ts'
import { PipelinedClient } from './pipelined-client.ts'
import { poolError } from './pool-error.ts'
import type { ServerContext } from './server-context.ts'
import { Session } from './session.ts'

/** The pipelined clients of one server: the first is packed before the next is opened, as batches are what is fast. */
export class PipelinedLane {
  readonly #context: ServerContext
  readonly #settings: LaneSettings
  readonly #maxLifetimeMs: number
  readonly #verify: (session: Session) => Promise<void>
  #clients: PipelinedClient[] = []
  /** Retired with answers still to come. */
  readonly #leaving = new Set<PipelinedClient>()
  #opening: Promise<PipelinedClient> | undefined
  #closed = false
  /** Ends what is still being opened. */
  readonly #abandon = new AbortController()
  #watch: NodeJS.Timeout | undefined
  /** Smoothed duration of a statement, milliseconds. */
  usualMs = 0
  #depth: number

  constructor(
    context: ServerContext,
    settings: LaneSettings,
    maxLifetimeMs: number,
    verify: (session: Session) => Promise<void>,
  ) {
    this.#context = context
    this.#settings = settings
    this.#maxLifetimeMs = maxLifetimeMs
    this.#verify = verify
    this.#depth = settings.minDepth
  }

  get clients(): readonly PipelinedClient[] {
    return this.#clients
  }

  get inFlight(): number {
    let sum = 0
    for (const client of this.#clients) sum += client.inFlight
    return sum
  }

  /** The client for the next statement; undefined when none is open yet. */
  pick(): PipelinedClient | undefined {
    if (this.#closed) return undefined
    let best: PipelinedClient | undefined
    for (const client of this.#clients) {
      if (!client.usable || client.names >= this.#settings.maxNames) {
        this.#replace(client)
        return this.pick()
      }
      if (client.inFlight < this.#depth && !client.isAside) return client
      if (best === undefined || isBetter(client, best)) best = client
    }
    // All are packed: the next one is opened beside, this statement does not wait for it.
    if (best !== undefined) this.grow()?.catch(ignore)
    return best
  }

  /** Opens the next client, unless there are as many as there may be. */
  grow(): Promise<PipelinedClient> | undefined {
    return this.#mayGrow() ? this.open() : undefined
  }

  #mayGrow(): boolean {
    return this.#clients.length < this.#settings.maxClients && this.#context.budget?.full !== true
  }

  /** Opens one more client; callers share one attempt. */
  open(): Promise<PipelinedClient> {
    if (this.#closed) return Promise.reject(this.#closedError())
    this.#opening ??= this.#openClient().finally(() => {
      this.#opening = undefined
    })
    return this.#opening
  }

  /** Learns the usual duration, and with it how deep a client may be packed. */
  learn(durationMs: number): void {
    this.usualMs += (durationMs - this.usualMs) * 0.02
    const depth = this.#settings.targetWaitMs / this.usualMs
    this.#depth = Math.max(this.#settings.minDepth, Math.min(this.#settings.maxDepth, depth))
  }

  /** Cuts all clients: the server does not answer. */
  abandon(): void {
    const clients = [...this.#clients, ...this.#leaving]
    this.#clients = []
    for (const client of clients) client.destroy()
  }

  /** Retires all clients: what is on them is still answered. */
  async close(): Promise<void> {
    this.#closed = true
    const clients = this.#clients
    this.#clients = []
    const timeoutMs = this.#settings.capMs + this.#settings.answerGraceMs
    await Promise.all(clients.map((client) => ended(client, timeoutMs)))
    // Who asked before may still wait for a client that is being opened, but not for ever.
    const timer = setTimeout(() => this.#abandon.abort(), timeoutMs)
    const last = await this.#opening?.catch(ignore)
    clearTimeout(timer)
    if (last !== undefined) await ended(last, timeoutMs)
    clearInterval(this.#watch)
  }

  async #openClient(): Promise<PipelinedClient> {
    const context = this.#context
    const extras = {
      pipeline: true,
      limits: { lock_timeout: this.#settings.lockTimeoutMs, statement_timeout: this.#settings.capMs },
    }
    const client = await openLaneClient(context, extras, this.#abandon.signal)
    const session = new Session(client, context.address, context.clock.monotonicMs(), context.names)
    try {
      await this.#verify(session)
    } catch (error) {
      endQuietly(client)
      throw notSent(error, context, session)
    }
    const pipelined = new PipelinedClient(session, context.names)
    this.#clients.push(pipelined)
    this.#expireLater(pipelined)
    this.#watchAnswers()
    return pipelined
  }

  #closedError(): Error {
    const { label } = this.#context.address
    return poolError('POOL_CLOSED', `The pool of ${label} is closed.`, { server: label })
  }

  #replace(client: PipelinedClient): void {
    this.#clients = this.#clients.filter((other) => other !== client)
    if (!client.session.dead) {
      this.#leaving.add(client)
      client.session.client.once('end', () => this.#leaving.delete(client))
    }
    client.retire()
  }

  // The lane's own statement_timeout makes each answer come within the cap: a server that is later does not live, or
  // cannot be reached. TCP would find out after a quarter of an hour.
  #watchAnswers(): void {
    if (this.#watch !== undefined) return
    const timeoutMs = this.#settings.capMs + this.#settings.answerGraceMs
    const everyMs = Math.min(timeoutMs / 4, 1_000)
    let lastLook = this.#context.clock.monotonicMs()
    this.#watch = setInterval(() => {
      const now = this.#context.clock.monotonicMs()
      const late = now - lastLook > everyMs * 2
      lastLook = now
      // This process itself stood still (a debugger, a frozen container): the answers may be there, not read yet.
      if (late) return
      for (const client of [...this.#clients, ...this.#leaving]) {
        if (!client.isStalled(now, timeoutMs)) continue
        this.#clients = this.#clients.filter((other) => other !== client)
        client.destroy()
      }
    }, everyMs)
    this.#watch.unref()
  }

  #expireLater(client: PipelinedClient): void {
    if (this.#maxLifetimeMs > longestTimerMs) return
    // Some spread, so that the clients of all processes do not leave at once.
    const timer = setTimeout(() => this.#replace(client), this.#maxLifetimeMs * (0.9 + Math.random() * 0.1))
    timer.unref()
    client.session.client.once('end', () => clearTimeout(timer))
  }
}

function isBetter(client: PipelinedClient, than: PipelinedClient): boolean {
  if (client.isAside !== than.isAside) return than.isAside
  return client.inFlight < than.inFlight
}

async function ended(client: PipelinedClient, timeoutMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  if (client.session.dead) resolve()
  client.session.client.once('end', () => resolve())
  // A server that does not answer does not say goodbye either.
  const timer = setTimeout(() => client.destroy(), timeoutMs)
  client.retire()
  await promise
  clearTimeout(timer)
}

function ignore(): void {}
