import type { Clock } from '@shardwright/core'
import type { BudgetShare, IdleHolder } from './budget-share.ts'
import { endQuietly } from './open-client.ts'
import { poolError } from './pool-error.ts'
import type { PoolSize } from './pool-size.ts'
import type { Session } from './session.ts'
import { asNew } from './session-state.ts'
import { SessionWaiter } from './session-waiter.ts'
import { destroySocket } from './stop-statement.ts'

interface AcquireOptions {
  readonly signal?: AbortSignal | undefined
  readonly deadline?: number | undefined
}

/**
 * Sessions of one server for one use at a time. pg.Pool has no overflow, no waiting that a signal or a deadline ends,
 * and no way to drain while others work on, so that this is written here.
 */
export class SessionPool implements IdleHolder {
  readonly #label: string
  readonly #size: PoolSize
  readonly #clock: Clock
  readonly #open: (signal?: AbortSignal) => Promise<Session>
  readonly #budget: BudgetShare | undefined
  readonly #idle: Session[] = []
  readonly #leased = new Set<Session>()
  #opening = 0
  #waiters: SessionWaiter[] = []
  #pressure: NodeJS.Timeout | undefined
  #sweeper: NodeJS.Timeout | undefined
  /** True once somebody asked for the minimum: what ends is replaced. */
  #kept = false
  #refilling = false
  #closing: Promise<void> | undefined
  #drained: (() => void) | undefined
  /** Ends what is still being opened. */
  readonly #abandon = new AbortController()

  constructor(
    label: string,
    size: PoolSize,
    clock: Clock,
    open: (signal?: AbortSignal) => Promise<Session>,
    budget?: BudgetShare,
  ) {
    this.#budget = budget
    budget?.join(this)
    this.#label = label
    this.#size = size
    this.#clock = clock
    this.#open = open
  }

  get idleCount(): number {
    return this.#idle.length
  }

  get lent(): readonly Session[] {
    return [...this.#leased]
  }

  get leasedCount(): number {
    return this.#leased.size
  }

  get waitingCount(): number {
    return this.#waiters.length
  }

  get totalCount(): number {
    return this.#idle.length + this.#leased.size + this.#opening
  }

  acquire(options: AcquireOptions = {}): Promise<Session> {
    if (this.#closing !== undefined) return Promise.reject(this.#closedError())
    const idle = this.#takeIdle()
    if (idle !== undefined) return Promise.resolve(this.#lend(idle))
    const waiter = new SessionWaiter(this.#label, this.#size.acquireTimeoutMs, this.#clock, options, {
      late: () => this.#timeoutError(),
      leave: (done) => {
        this.#waiters = this.#waiters.filter((other) => other !== done)
      },
    })
    this.#waiters.push(waiter)
    this.#grow()
    return waiter.promise
  }

  /** Gives a session back; one whose connection is gone or whose time is over is closed. */
  release(session: Session): void {
    if (!this.#leased.delete(session)) return
    const closed = session.dead || this.#isExpired(session)
    const waiter = closed ? undefined : this.#waiters.shift()
    if (waiter !== undefined) {
      waiter.serve(this.#lend(session))
    } else if (closed || this.#isOneTooMany()) {
      endQuietly(session.client)
      this.#afterLoss()
    } else {
      session.idleSince = this.#clock.monotonicMs()
      this.#idle.push(session)
      this.#sweepLater()
    }
  }

  #isOneTooMany(): boolean {
    return this.totalCount >= this.#size.maximum || this.#closing !== undefined || this.#budget?.pressed === true
  }

  dropIdle(idleMs: number): boolean {
    const [session] = this.#idle
    if (session === undefined || this.#clock.monotonicMs() - session.idleSince < idleMs) return false
    this.#idle.shift()
    endQuietly(session.client)
    return true
  }

  /** Gives a session back when it carries nothing to the next caller: no transaction, no state. Else closes it. */
  async releaseClean(session: Session): Promise<void> {
    if (session.client.getTransactionStatus() !== 'I') this.destroy(session)
    else if ((session.left === undefined && !session.altered) || session.dead) this.release(session)
    else if (await asNew(session)) this.release(session)
    else this.destroy(session)
  }

  /** Closes a session whose state is not known. */
  destroy(session: Session): void {
    session.markDead()
    this.release(session)
  }

  /** Fails who waits for a session now. */
  refuseWaiting(error: () => Error): void {
    for (const waiter of [...this.#waiters]) waiter.fail(error())
  }

  /** Ends the connections of all sessions that are lent. */
  cut(): void {
    for (const session of this.#leased) destroySocket(session)
  }

  /** Opens up to the minimum; fails when not one could be opened. */
  async warm(): Promise<void> {
    this.#kept = this.#size.minimum > 0
    if (this.#kept && this.#closing === undefined) this.#sweepLater()
    const missing = Math.max(0, this.#size.minimum - this.totalCount)
    const opened = await Promise.allSettled(Array.from({ length: missing }, () => this.acquire()))
    for (const result of opened) if (result.status === 'fulfilled') this.release(result.value)
    const [first] = opened
    if (first?.status === 'rejected' && opened.every((result) => result.status === 'rejected')) throw first.reason
  }

  /** Refuses new work, finishes what was taken on, closes everything; what takes longer than the timeout is cut. */
  close(timeoutMs: number): Promise<void> {
    this.#closing ??= this.#drain(timeoutMs)
    return this.#closing
  }

  async #drain(timeoutMs: number): Promise<void> {
    clearInterval(this.#sweeper)
    clearTimeout(this.#pressure)
    this.#pressure = undefined
    this.#budget?.leave(this)
    const idle = this.#idle.splice(0)
    // Nobody waits for what is being opened: it was meant for a caller who has gone.
    if (this.#waiters.length === 0) this.#abandon.abort(this.#closedError())
    await Promise.all(idle.map((session) => ended(session, timeoutMs)))
    if (this.#isDrained()) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#drained = resolve
    const timer = setTimeout(() => {
      this.refuseWaiting(() => this.#closedError())
      this.cut()
      this.#abandon.abort(this.#closedError())
      resolve()
    }, timeoutMs)
    await promise
    clearTimeout(timer)
  }

  #takeIdle(): Session | undefined {
    for (let session = this.#idle.pop(); session !== undefined; session = this.#idle.pop()) {
      if (!session.dead && !this.#isExpired(session)) return session
      endQuietly(session.client)
    }
    return undefined
  }

  #lend(session: Session): Session {
    this.#leased.add(session)
    session.wrote = false
    return session
  }

  #grow(): void {
    if (this.#opening >= this.#waiters.length) return
    if (this.totalCount >= this.#size.maximum) this.#overflowLater()
    else this.#openOne()
  }

  // To open a session costs more than to wait a moment for one: the overflow is for a queue that lasts.
  #overflowLater(): void {
    if (this.#pressure !== undefined || this.#size.overflow === 0) return
    this.#pressure = setTimeout(() => {
      this.#pressure = undefined
      if (this.#opening >= this.#waiters.length) return
      if (this.totalCount < this.#size.maximum + this.#size.overflow) this.#openOne()
      this.#overflowLater()
    }, overflowAfterMs)
  }

  #openOne(): void {
    this.#opening++
    this.#open(this.#abandon.signal).then(
      (session) => this.#opened(session),
      (error: unknown) => {
        this.#opening--
        this.#waiters[0]?.fail(error)
        this.#afterLoss()
      },
    )
  }

  #opened(session: Session): void {
    this.#opening--
    this.#lend(session)
    const waiter = this.#waiters.shift()
    if (waiter === undefined) this.release(session)
    else waiter.serve(session)
    this.#afterLoss()
  }

  // Somebody may still wait for the room that a lost or refused session leaves.
  #afterLoss(): void {
    this.#grow()
    if (this.#isDrained()) this.#drained?.()
  }

  #isDrained(): boolean {
    return this.#leased.size + this.#opening + this.#waiters.length === 0
  }

  #isExpired(session: Session): boolean {
    return this.#clock.monotonicMs() - session.openedAt >= this.#size.maxLifetimeMs * session.lifeShare
  }

  #sweepLater(): void {
    if (this.#sweeper !== undefined) return
    const { idleTimeoutMs, maxLifetimeMs } = this.#size
    const everyMs = Math.max(100, Math.min(idleTimeoutMs / 2, maxLifetimeMs / 2, 30_000))
    this.#sweeper = setInterval(() => this.#sweep(), everyMs)
    this.#sweeper.unref()
  }

  #sweep(): void {
    const now = this.#clock.monotonicMs()
    for (const session of [...this.#idle]) {
      const stale = now - session.idleSince >= this.#size.idleTimeoutMs && this.totalCount > this.#size.minimum
      if (!stale && !session.dead && !this.#isExpired(session)) continue
      this.#idle.splice(this.#idle.indexOf(session), 1)
      endQuietly(session.client)
    }
    if (this.#kept) void this.#refill()
    else if (this.#idle.length === 0) {
      clearInterval(this.#sweeper)
      this.#sweeper = undefined
    }
  }

  // One after the other, and no further than the first that fails: a server that is down is not stormed.
  async #refill(): Promise<void> {
    if (this.#refilling) return
    this.#refilling = true
    try {
      while (this.#closing === undefined && this.totalCount < this.#size.minimum && this.#budget?.full !== true) {
        if (!(await this.#openSpare())) return
      }
    } finally {
      this.#refilling = false
    }
  }

  /** Nobody waits for it, so that nobody hears of its failure: who needs a session tries again. */
  async #openSpare(): Promise<boolean> {
    this.#opening++
    try {
      this.#opened(await this.#open(this.#abandon.signal))
      return true
    } catch {
      this.#opening--
      this.#afterLoss()
      return false
    }
  }

  #timeoutError(): Error {
    const { maximum, overflow, acquireTimeoutMs } = this.#size
    const figures = {
      leased: this.leasedCount,
      opening: this.#opening,
      idle: this.idleCount,
      waiting: this.waitingCount,
      maximum,
      overflow,
    }
    const { leased, opening, waiting } = figures
    return poolError(
      'POOL_TIMEOUT',
      `No connection to ${this.#label} became free within ${acquireTimeoutMs} ms: ${leased} in use and ${opening} being ` +
        `opened of ${maximum} and ${overflow} more under pressure; ${waiting} callers wait.`,
      { server: this.#label, details: { ...figures, sent: false } },
    )
  }

  #closedError(): Error {
    return poolError('POOL_CLOSED', `The pool of ${this.#label} is closed.`, { server: this.#label })
  }
}

// A server that hangs does not say goodbye.
async function ended(session: Session, timeoutMs: number): Promise<void> {
  const timer = setTimeout(() => destroySocket(session), timeoutMs)
  await session.client.end().catch(ignore)
  clearTimeout(timer)
}

const overflowAfterMs = 50

function ignore(): void {}
