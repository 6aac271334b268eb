import { type CommitToken, currentReadContext, type ReadContext } from '@shardwright/core'
import { ExponentialBackoff } from 'cockatiel'
import type { Client } from 'pg'
import { CommitTokens } from './commit-tokens.ts'
import { deadlineError } from './deadline.ts'
import { firstAnswer } from './first-answer.ts'
import { logPosition } from './log-position.ts'
import { type DirectOptions, openDirect } from './open-direct.ts'
import { poolError } from './pool-error.ts'
import { findPrimary } from './primary-finder.ts'
import { type OnwardReads, readOnwards } from './read-onwards.ts'
import type { Replica } from './replica.ts'
import type { ReplicaSet } from './replica-set.ts'
import { isRefusal, isSafeAgain, isUnreachable, readOnlyServer } from './safe-again.ts'
import type { Server } from './server.ts'
import type { ServerAddress } from './server-address.ts'
import type { ShardLineage } from './session-verifier.ts'
import type { Lease, LeaseOptions, ReadPreference, RunOptions, Statement, StatementResult } from './shard-pool.ts'
import type { ShardSettings } from './shard-settings.ts'
import { sqlStateOf } from './sql-state.ts'
import { unknownPlaceOn } from './unknown-place.ts'
import { untilSettled } from './unsettled-wait.ts'
import { untilAbandoned } from './until-abandoned.ts'

type ServerFactory = (address: ServerAddress) => Server

/** One shard: its primary wherever it is now, its replicas, and what happens when one of them fails. */
export class ShardServers {
  readonly id: string
  readonly #settings: ShardSettings
  readonly #lineage: ShardLineage
  readonly #makePrimary: ServerFactory
  readonly #replicas: ReplicaSet
  readonly #tokens: CommitTokens
  #primary: Server
  #search: Promise<void> | undefined
  #closed = false
  readonly #leaving = new Set<Promise<void>>()
  readonly #recover = (error: unknown, statement: Statement, options: RunOptions | undefined) =>
    this.#onFailure(error, statement, options)

  constructor(
    settings: ShardSettings,
    lineage: ShardLineage,
    makePrimary: ServerFactory,
    makeReplicas: (primary: () => Server, promoted: () => void) => ReplicaSet,
  ) {
    this.id = lineage.shard
    this.#settings = settings
    this.#lineage = lineage
    this.#makePrimary = makePrimary
    this.#primary = makePrimary(lineage.candidates[0]!)
    this.#replicas = makeReplicas(
      () => this.#primary,
      () => void this.#searchPrimary(),
    )
    this.#tokens = new CommitTokens(
      this.id,
      () => this.#primary,
      () => lineage.incarnation,
      settings.epoch,
    )
  }

  get primary(): Server {
    return this.#primary
  }

  /** Of the current primary; undefined until one was met. */
  get database(): string | undefined {
    return this.#lineage.primary?.database
  }

  get servers(): readonly Server[] {
    return [this.#primary, ...this.#replicas.replicas.map((replica) => replica.server)]
  }

  execute(statement: Statement, options?: RunOptions): Promise<StatementResult> {
    const wait = this.#unsettled(options)
    return wait === undefined ? this.#execute(statement, options) : wait.then(() => this.#execute(statement, options))
  }

  /** Undefined as a rule: nothing that the caller has committed is unfinished here. */
  #unsettled(options: RunOptions | undefined): Promise<void> | undefined {
    const context = currentReadContext()
    if (context === undefined || context.unsettledOn(this.id).length === 0) return undefined
    const budgetMs = this.#settings.reads.unsettledWaitMs
    const wait = { shard: this.id, primary: () => this.#primary, token: () => this.#tokens.read(), budgetMs }
    return untilSettled(context, wait, options)
  }

  #execute(statement: Statement, options?: RunOptions): Promise<StatementResult> {
    const context = currentReadContext()
    if (statement.access === 'read') {
      const token = this.#replicas.replicas.length === 0 ? undefined : context?.tokenOf(this.id)
      if (context === undefined || token === undefined || !this.#isBelieved(context))
        return this.#read(statement, options)
      return readOnwards(this.#onwards(options), statement, context, token)
    }
    const running = this.#primary.execute(statement, options, this.#recover)
    return context === undefined ? running : this.#remembered(running, context, options)
  }

  #onwards(options: RunOptions | undefined): OnwardReads {
    const replicaAt = (label: string) =>
      this.#replicas.replicas.find(({ server }) => server.context.address.label === label)
    return {
      position: logPosition(this.#primary.context.commits).any,
      read: (statement) => this.#read(statement, options),
      ask: (server, position) => (replicaAt(server)?.server ?? this.#primary).execute(position, options),
      reached: (server, lsn) => replicaAt(server)?.sawReplay(lsn),
    }
  }

  #read(statement: Statement, options: RunOptions | undefined): Promise<StatementResult> {
    const reads = this.#replicas.replicas.length === 0 ? 'primary' : (options?.reads ?? this.#settings.reads.reads)
    if (reads === 'primary') return this.#primary.execute(statement, options, this.#recover)
    return this.#readReplica(statement, reads, options)
  }

  async lease(shard: number, options?: LeaseOptions): Promise<Lease> {
    const wait = this.#unsettled(options)
    if (wait !== undefined) await wait
    const reads = options?.reads ?? this.#settings.reads.reads
    if (options?.access === 'read' && reads !== 'primary' && this.#replicas.replicas.length > 0) {
      const replica = await this.#replicaFor(reads, options)
      const lease = replica === undefined ? undefined : await leaseOrUndefined(replica.server, shard, options)
      if (lease !== undefined) return lease
    }
    try {
      return await this.#primary.lease(shard, options)
    } catch (error) {
      // Nothing was sent yet: somebody else may be the primary by now.
      if (!this.#pointsElsewhere(error)) throw error
      const before = this.#primary
      await this.#searchPrimary()
      if (this.#primary === before) throw error
      return await this.#primary.lease(shard, options)
    }
  }

  /** A client past any pooler, on the primary wherever it is now. */
  async direct(options: DirectOptions): Promise<Client> {
    const before = this.#primary
    try {
      return await openDirect(before.context, this.#lineage, options)
    } catch (error) {
      if (!this.#pointsElsewhere(error)) throw error
      await this.#searchPrimary()
      if (this.#primary === before) throw error
      return await openDirect(this.#primary.context, this.#lineage, options)
    }
  }

  commitToken(): Promise<CommitToken> {
    return this.#tokens.read()
  }

  async close(): Promise<void> {
    this.#closed = true
    // Closed at once, so that nothing new is taken on while the rest ends.
    const closing = this.servers.map((server) => server.close())
    await Promise.all([this.#replicas.monitor.stop(), this.#search, ...closing, ...this.#leaving])
  }

  /** The write's token is in the context before its caller goes on: whatever it reads next has seen the write. */
  async #remembered(
    running: Promise<StatementResult>,
    context: ReadContext,
    options: RunOptions | undefined,
  ): Promise<StatementResult> {
    let result: StatementResult
    try {
      result = await running
    } catch (error) {
      // Whoever looks whether it is done must not ask a replica.
      if (!isRefusal(error)) context.add(unknownPlaceOn(this.id, this.#settings.epoch()))
      throw error
    }
    try {
      context.add(await untilAbandoned(this.#primary.context, this.#tokens.read(), options ?? {}))
    } catch (error) {
      // The write stands all the same.
      context.add(unknownPlaceOn(this.id, this.#settings.epoch()))
      this.#settings.telemetry.log('warn', `no commit token of shard ${this.id}: ${String(error)}`, { shard: this.id })
    }
    return result
  }

  async #readReplica(
    statement: Statement,
    reads: ReadPreference,
    options: RunOptions | undefined,
  ): Promise<StatementResult> {
    const replica = await this.#replicaFor(reads, options)
    if (replica === undefined) return await this.#primary.execute(statement, options, this.#recover)
    // The caller's: a failure comes in on the connection, where another context is in force.
    const token = currentReadContext()?.tokenOf(this.id)
    const onAnother = () => this.#readElsewhere(statement, reads, options, replica, token)
    // Whatever goes wrong on a replica, another server can answer: a recovery conflict, a lost connection, a restart.
    const elsewhere = (error: unknown) =>
      isSafeAgain(error, 'read') || sqlStateOf(error) === '40001' ? onAnother() : undefined
    const running = replica.server.execute(statement, options, elsewhere)
    const { hedgeAfterMs } = this.#settings.reads
    if (hedgeAfterMs === undefined) return await running
    return await firstAnswer(running, hedgeAfterMs, onAnother)
  }

  async #readElsewhere(
    statement: Statement,
    reads: ReadPreference,
    options: RunOptions | undefined,
    but: Replica,
    token: CommitToken | undefined,
  ): Promise<StatementResult> {
    const other = this.#replicas.choose(reads, token, but)
    const server = other?.server ?? this.#primary
    return await server.execute(statement, options, this.#recover)
  }

  /** The replica for a read now; undefined for the primary. */
  async #replicaFor(reads: ReadPreference, options: RunOptions | undefined): Promise<Replica | undefined> {
    const { monitor } = this.#replicas
    // A replica that hangs holds the first round up, and neither the caller's deadline nor its abort.
    if (!monitor.settled) await untilAbandoned(this.#primary.context, monitor.start(), options ?? {})
    const context = currentReadContext()
    if (context !== undefined && !this.#isBelieved(context)) return undefined
    const token = context?.tokenOf(this.id)
    const replica = this.#replicas.choose(reads, token)
    if (replica !== undefined) return replica
    const waited = token === undefined ? undefined : await this.#replicas.waitFor(reads, token)
    if (waited !== undefined) return waited
    if (token === undefined && this.#settings.reads.whenNoReplica === 'refuse') {
      const replicas = this.#replicas.replicas.map((each) => ({
        server: each.server.context.address.label,
        because: each.asideBecause ?? (each.state === undefined ? 'it has not answered' : 'it lags, or is left alone'),
      }))
      const reasons = replicas.map(({ server, because }) => `${server}: ${because}`).join('; ')
      throw poolError('NO_REPLICA', `No replica of shard ${this.id} is healthy and fresh enough (${reasons}).`, {
        shard: this.id,
        details: { replicas },
      })
    }
    return undefined
  }

  // A token of another timeline or system names a position in a log that is not this one; with another epoch the key may
  // have moved since, from any shard that the context knows. The primary is right in every case.
  #isBelieved(context: ReadContext): boolean {
    const token = context.tokenOf(this.id)
    const own = token === undefined || token.incarnation === this.#lineage.incarnation
    return own && context.isOf(this.#settings.epoch())
  }

  #onFailure(
    error: unknown,
    statement: Statement,
    options: RunOptions | undefined,
  ): Promise<StatementResult> | undefined {
    const elsewhere = this.#pointsElsewhere(error)
    if (isSafeAgain(error, statement.access)) return this.#again(error, statement, options, elsewhere)
    // This caller's write may have been done; those after it should find the primary all the same.
    if (elsewhere) void this.#searchPrimary()
    return undefined
  }

  async #again(
    firstError: unknown,
    statement: Statement,
    options: RunOptions | undefined,
    search: boolean,
  ): Promise<StatementResult> {
    const { retry, clock } = this.#settings
    let error = firstError
    let backoff = new ExponentialBackoff({ initialDelay: retry.initialDelayMs, maxDelay: retry.maxDelayMs }).next()
    if (search) await this.#searchPrimary()
    for (let attempt = 1; attempt <= retry.maxRetries; attempt++) {
      const leftMs = options?.deadline === undefined ? Infinity : options.deadline - clock.monotonicMs()
      if (leftMs <= backoff.duration) throw leftMs <= 0 ? deadlineError(this.id, this.id) : error
      await clock.sleep(backoff.duration, options?.signal === undefined ? {} : { signal: options.signal })
      backoff = backoff.next(undefined)
      try {
        return await this.#primary.execute(statement, options)
      } catch (next) {
        error = next
        if (!isSafeAgain(next, statement.access)) throw next
        if (this.#pointsElsewhere(next)) await this.#searchPrimary()
      }
    }
    throw error
  }

  #pointsElsewhere(error: unknown): boolean {
    if (this.#lineage.candidates.length < 2) return false
    if (sqlStateOf(error) === readOnlyServer || isUnreachable(error)) return true
    const code = (error as { code?: unknown } | null)?.code
    return code === 'NO_PRIMARY' || code === 'CIRCUIT_OPEN'
  }

  /** Callers share one search. */
  #searchPrimary(): Promise<void> {
    if (this.#closed) return Promise.resolve()
    this.#search ??= this.#switchPrimary().finally(() => {
      this.#search = undefined
    })
    return this.#search
  }

  async #switchPrimary(): Promise<void> {
    const before = this.#primary
    const found = await findPrimary(before.context, this.#lineage.candidates, this.#lineage.primary)
    if (found === undefined || found.address.url === before.context.address.url || this.#closed) return
    this.#lineage.primary = found.incarnation
    this.#primary = this.#makePrimary(found.address)
    this.#replicas.monitor.primaryChanged()
    const { telemetry } = this.#settings
    const attributes = { shard: this.id, server: found.address.label }
    telemetry.log('warn', `the primary of shard ${this.id} is ${found.address.label} now`, attributes)
    telemetry.count('shardwright.pool.failovers', 1, attributes)
    // What is open there could commit what the new primary never has.
    before.cut()
    const leaving = before.close().finally(() => this.#leaving.delete(leaving))
    this.#leaving.add(leaving)
  }
}

// A replica that cannot be reached is no reason to fail: the primary answers.
async function leaseOrUndefined(server: Server, shard: number, options: LeaseOptions): Promise<Lease | undefined> {
  try {
    return await server.lease(shard, options)
  } catch (error) {
    if (isSafeAgain(error, 'read')) return undefined
    throw error
  }
}
