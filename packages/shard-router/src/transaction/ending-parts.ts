import type { CommitToken } from '@shardwright/core'
import { AbortedTransactionError } from 'kysely'
import type { StatementResult } from '../pool/shard-pool.ts'
import { sqlStateOf } from '../pool/sql-state.ts'
import { type AtomicContext, shardIdOf } from './atomic-context.ts'
import { finishPrepared } from './finish-prepared.ts'
import { lockError } from './lock-error.ts'
import { type Part, partToken } from './part-token.ts'
import type { Participant } from './participant.ts'
import { gidOf, lastSqlOf } from './prepare-part.ts'
import type { Vote } from './vote.ts'
import { whileAnswering } from './while-answering.ts'

/** All parts of one transaction, from its last statement to its end. */
export class EndingParts {
  readonly context: AtomicContext
  readonly txid: string
  readonly all: readonly Participant[]
  /** Set once it is known which shard decides: what is prepared is found by its name. */
  decider: Vote | undefined
  readonly #wantsTokens: boolean
  #gaveWay = false

  constructor(context: AtomicContext, txid: string, all: readonly Participant[], wantsTokens: boolean) {
    this.context = context
    this.txid = txid
    this.all = all
    this.#wantsTokens = wantsTokens
  }

  /** Ends a deadlock: what waits now is cancelled. Once the decision stands there is nothing to cancel. */
  giveWay(): void {
    this.#gaveWay = true
    for (const { state, lease } of this.all) {
      if (state === 'preparing' || state === 'committing') lease.cancel().catch(ignore)
    }
  }

  /** Runs the last command of a part, for as long as its server answers. */
  answer(participant: Participant, sql: string): Promise<StatementResult> {
    return whileAnswering(this.context, [participant], participant.run(sql))
  }

  async plainCommit(participant: Participant): Promise<void> {
    participant.state = 'committing'
    const { command } = await participant.run(`${lastSqlOf(this.context)}commit`)
    participant.state = 'ended'
    participant.release()
    // COMMIT of a failed transaction succeeds with the tag ROLLBACK.
    if (command !== 'COMMIT') throw new AbortedTransactionError()
  }

  /** What fails before the decision rolls back everything. */
  async guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      await this.abort()
      // A transaction that failed on the server answers to nothing but its end.
      throw sqlStateOf(error) === '25P02' ? new AbortedTransactionError() : error
    }
  }

  /** Rolls back everywhere. Only called while the decider cannot have committed. Never rejects: recovery does the rest. */
  async abort(): Promise<void> {
    await Promise.all(this.all.map((participant) => this.#abortOne(participant)))
  }

  async #abortOne(participant: Participant): Promise<void> {
    const { state } = participant
    participant.state = 'ended'
    if (state === 'open') await participant.rollback(this.context.settings.settleTimeoutMs)
    else if (state === 'prepared' || state === 'preparing') await this.#rollbackPrepared(participant)
    else participant.release()
  }

  async #rollbackPrepared(participant: Participant): Promise<void> {
    if (this.decider === undefined) return participant.destroy(undefined)
    const gid = gidOf(this.context, this.txid, this.decider, participant)
    const done = await finishPrepared(this.context, participant, gid, 'abort', this.context.settings.settleTimeoutMs)
    if (!done) this.countUnsettled(participant.shard)
    participant.release()
  }

  /** A token costs a round trip: read when a context or a hook will look at it. */
  async tokens<P extends Part>(
    parts: readonly P[],
    tokenOf: (part: P) => CommitToken | Promise<CommitToken> = (part) => partToken(this.context, part),
  ): Promise<CommitToken[]> {
    return this.#wantsTokens ? await Promise.all(parts.map(tokenOf)) : []
  }

  /** Deferred constraints and triggers may wait for locks at PREPARE, and at the decider's COMMIT. */
  lockError(error: unknown, { shard }: Participant): unknown {
    return lockError(error, this.nameOf(shard), this.#gaveWay)
  }

  countUnsettled(shard: number): void {
    this.context.telemetry.count('shardwright.transactions.unsettled', 1, { shard: this.nameOf(shard) })
  }

  nameOf(shard: number): string {
    return shardIdOf(this.context, shard)
  }
}

/** The statement's own end, or its lock_timeout, comes all the same. */
function ignore(): void {}
