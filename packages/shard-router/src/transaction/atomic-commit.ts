import type { Commit, CommitToken } from '@shardwright/core'
import { AbortedTransactionError } from 'kysely'
import type { StatementResult } from '../pool/shard-pool.ts'
import { sqlStateOf } from '../pool/sql-state.ts'
import { type AtomicContext, reach, shardIdOf, withDirectClient } from './atomic-context.ts'
import { collectVotes, deciderFirst } from './collect-votes.ts'
import { decisionError } from './decision-error.ts'
import { commitDecisionSql, installDecisionTable } from './decision-table.ts'
import { finishPrepared } from './finish-prepared.ts'
import { gidName } from './gid.ts'
import type { LastParts } from './last-statements.ts'
import { lockError } from './lock-error.ts'
import { isRefusal } from './one-shard-transaction.ts'
import { type Part, partToken, unsettledToken } from './part-token.ts'
import type { Participant } from './participant.ts'
import { finishPatiently, type PendingCommit } from './pending-commit.ts'
import { prepareError, refuseNotify } from './prepare-error.ts'
import { gidOf, isPlainRefusal, lastSqlOf, notePrepared, prepareSqlOf } from './prepare-part.ts'
import { resolveDecision } from './resolve-decision.ts'
import { knownFacts, rememberTable } from './session-facts.ts'
import { unknownPlace } from './token-after-commit.ts'
import type { Vote } from './vote.ts'
import { whileAnswering } from './while-answering.ts'

/** What `commit` of a transaction across shards tells. */
export interface AtomicCommit extends Commit {
  /** Shards that could not be reached after the decision: committed there too, visible when recovery gets through. */
  readonly unsettled: readonly string[]
}

/**
 * Commits the parts of one transaction all or nothing. One writer: a plain COMMIT. Several: the first is the decider; the
 * others are prepared, the decider commits with a row that says so, the others follow.
 *
 * When it rejects, nothing is committed anywhere, except under TRANSACTION_IN_DOUBT, where nobody can know yet, and where
 * the COMMIT of one writer was `lost`.
 */
export class AtomicCommitter {
  readonly #context: AtomicContext
  readonly #txid: string
  readonly #participants: readonly Participant[]
  readonly #wantsTokens: boolean
  /** Votes of parts that are prepared already. */
  readonly #prepared: readonly Vote[] | undefined
  #decider: Vote | undefined
  #lost = false
  #gaveWay = false
  #pending: PendingCommit | undefined

  constructor(
    context: AtomicContext,
    txid: string,
    participants: readonly Participant[],
    wantsTokens: boolean,
    last?: LastParts,
  ) {
    this.#wantsTokens = wantsTokens
    this.#decider = last?.decider
    this.#prepared = last?.others
    this.#context = context
    this.#txid = txid
    this.#participants = participants
  }

  /** True when the one COMMIT that there was got no answer: it may be done, or not, and nothing finishes it later. */
  get lost(): boolean {
    return this.#lost
  }

  /** How many shards joined. */
  get participants(): number {
    return this.#participants.length
  }

  /** Ends a deadlock: what waits now is cancelled. Once the decision stands there is nothing to cancel. */
  giveWay(): void {
    this.#gaveWay = true
    for (const { state, lease } of this.#participants) {
      if (state === 'preparing' || state === 'committing') lease.cancel().catch(ignore)
    }
  }

  /** What is still to come when `commit` has answered: the commit is in doubt, or not settled on some shard. */
  get pending(): PendingCommit | undefined {
    return this.#pending
  }

  async commit(): Promise<AtomicCommit> {
    if (this.#decider && this.#prepared) return await this.#commitTwoPhase(this.#decider, this.#prepared)
    const only = this.#participants.length === 1 ? this.#participants[0] : undefined
    if (only) {
      await this.#guarded(() => this.#commitAlone(only))
      return {
        tokens: await this.#tokens(
          only.mayHaveWritten ? [{ participant: only, facts: knownFacts(only.lease.session) }] : [],
        ),
        unsettled: [],
      }
    }
    const writers = await this.#guarded(() => this.#commitReaders())
    const [decider, ...others] = writers
    if (!decider) return { tokens: [], unsettled: [] }
    if (others.length === 0) {
      await this.#guarded(() => this.#commitAlone(decider.participant))
      return { tokens: await this.#tokens([decider]), unsettled: [] }
    }
    return await this.#commitTwoPhase(decider, others)
  }

  async #commitTwoPhase(decider: Vote, candidates: readonly Vote[]): Promise<AtomicCommit> {
    this.#decider = decider
    const { telemetry } = this.#context
    const span = telemetry.span('shardwright.transaction.commit', { participants: candidates.length + 1 })
    try {
      const others = this.#prepared ?? (await this.#guarded(() => this.#prepareAll(decider, candidates)))
      await this.#decide(decider, others)
      const unsettled = await this.#settle(decider, others)
      const tokens = await this.#tokens([decider, ...others], (part) =>
        unsettled.has(part as Vote) ? this.#gid(decider, part.participant) : undefined,
      )
      span.end()
      if (unsettled.size > 0) this.#goOn('unsettled', tokens, decider, others)
      return { tokens, unsettled: [...unsettled].map((vote) => this.#name(vote.participant.shard)) }
    } catch (error) {
      span.end({ error })
      throw error
    }
  }

  /** Those that wrote nothing end first: a serialization failure of theirs still stops the whole. */
  async #commitReaders(): Promise<Vote[]> {
    const votes = await whileAnswering(this.#context, this.#participants, collectVotes(this.#participants))
    const wrote = (vote: Vote) => vote.xid !== null || vote.participant.notified
    const writers = votes.some(wrote) ? votes.filter((vote) => wrote(vote) || vote.participant.mayNotify) : []
    if (writers.length > 1)
      refuseNotify(
        writers.map((vote) => vote.participant),
        (shard) => this.#name(shard),
      )
    const writing = new Set(writers.map((vote) => vote.participant))
    await Promise.all(this.#participants.filter((each) => !writing.has(each)).map((each) => this.#plainCommit(each)))
    return await whileAnswering(this.#context, this.#participants, deciderFirst(writers))
  }

  async #commitAlone(participant: Participant): Promise<void> {
    try {
      await this.#plainCommit(participant)
    } catch (error) {
      this.#lost = participant.state === 'committing' && !isRefusal(error)
      throw this.#lockError(error, participant)
    }
  }

  async #plainCommit(participant: Participant): Promise<void> {
    participant.state = 'committing'
    const { command } = await participant.run(`${lastSqlOf(this.#context)}commit`)
    participant.state = 'ended'
    participant.release()
    // COMMIT of a failed transaction succeeds with the tag ROLLBACK.
    if (command !== 'COMMIT') throw new AbortedTransactionError()
  }

  async #checkReady(decider: Vote): Promise<void> {
    if (decider.facts.hasTable) return
    const { shard, lease } = decider.participant
    await withDirectClient(this.#context, shard, (client) => installDecisionTable(client, this.#name(shard)))
    rememberTable(lease.session)
  }

  /** The votes with the numbers that PREPARE gave. */
  async #prepareAll(decider: Vote, others: readonly Vote[]): Promise<Vote[]> {
    await this.#checkReady(decider)
    const results = await Promise.allSettled(others.map((vote, index) => this.#prepare(decider, vote, index)))
    const failed = results.find((result) => result.status === 'rejected')
    if (failed) throw failed.reason
    return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  }

  async #prepare(decider: Vote, vote: Vote, index: number): Promise<Vote> {
    const { participant } = vote
    let xid: string
    const at = { shard: participant.shard, index, txid: this.#txid }
    await reach(this.#context, 'before prepare', at)
    participant.state = 'preparing'
    try {
      const gid = this.#gid(decider, participant)
      const { command, rows } = await this.#answer(participant, prepareSqlOf(this.#context, vote, gid))
      notePrepared(participant, command)
      xid = (rows[0] as { readonly xid: string }).xid
    } catch (error) {
      // An error from the server means that the transaction is rolled back there.
      if (isPlainRefusal(error)) participant.state = 'open'
      throw prepareError(this.#lockError(error, participant), this.#name(participant.shard))
    }
    await reach(this.#context, 'after prepare', at)
    return { ...vote, xid }
  }

  async #decide(decider: Vote, others: readonly Vote[]): Promise<void> {
    const { participant } = decider
    const at = { shard: participant.shard, index: 0, txid: this.#txid }
    const participants = [decider, ...others].map((vote) => gidName(this.#name(vote.participant.shard)))
    const sql =
      lastSqlOf(this.#context) +
      decider.facts.durableSql +
      commitDecisionSql({ txid: this.#txid, topology: this.#context.topology, participants })
    try {
      await reach(this.#context, 'before decision', at)
      participant.state = 'committing'
      const { command } = await this.#answer(participant, sql)
      participant.state = 'ended'
      if (command !== 'COMMIT') throw new AbortedTransactionError()
    } catch (error) {
      await this.#afterLostDecision(decider, others, error)
    }
    await reach(this.#context, 'after decision', at)
  }

  /** Returns when the decision is commit after all; throws when all is rolled back, or nobody knows. */
  async #afterLostDecision(decider: Vote, others: readonly Vote[], error: unknown): Promise<void> {
    const { participant } = decider
    // Errors that end the session (57P..., 08...) may come after the commit record was written.
    if (participant.state === 'committing' && isPlainRefusal(error)) participant.state = 'open'
    if (participant.state !== 'committing') {
      await this.abort()
      throw decisionError(this.#lockError(error, participant), this.#txid)
    }
    participant.destroy(error)
    let outcome: 'commit' | 'abort'
    try {
      outcome = await resolveDecision(this.#context, this.#txid, decider, others, error)
    } catch (doubt) {
      // Their sessions are empty: what is prepared belongs to no session.
      for (const each of this.#participants) each.release()
      const tokens = others.map((vote) => unsettledToken(this.#context, vote, this.#gid(decider, vote.participant)))
      const place = unknownPlace(this.#context.pool, participant.shard, decider.facts.incarnation)
      this.#goOn('in doubt', [place, ...tokens], decider, others)
      throw doubt
    }
    participant.state = 'ended'
    if (outcome === 'commit') return
    await this.abort()
    throw error
  }

  async #settle(decider: Vote, others: readonly Vote[]): Promise<Set<Vote>> {
    const unsettled = new Set<Vote>()
    await Promise.all(
      others.map(async (vote, index) => {
        const { participant } = vote
        const at = { shard: participant.shard, index, txid: this.#txid }
        await reach(this.#context, 'before commit prepared', at)
        const { settleTimeoutMs } = this.#context.settings
        const gid = this.#gid(decider, participant)
        if (await finishPrepared(this.#context, participant, gid, 'commit', settleTimeoutMs))
          participant.state = 'ended'
        else unsettled.add(vote)
        participant.release()
        await reach(this.#context, 'after commit prepared', at)
      }),
    )
    decider.participant.release()
    for (const vote of unsettled) this.#countUnsettled(vote.participant.shard)
    return unsettled
  }

  #answer(participant: Participant, sql: string): Promise<StatementResult> {
    return whileAnswering(this.#context, [participant], participant.run(sql))
  }

  #goOn(why: PendingCommit['why'], tokens: readonly CommitToken[], decider: Vote, others: readonly Vote[]): void {
    const gidOf = (part: Vote) => this.#gid(decider, part.participant)
    const prepared = { txid: this.#txid, decider, others, gidOf }
    const finish = async (signal: AbortSignal): Promise<Commit | undefined> => {
      const known = why === 'unsettled' ? 'commit' : undefined
      const outcome = await finishPatiently(this.#context, prepared, known, signal)
      return outcome === 'commit' ? { tokens: await this.#tokens([decider, ...others]) } : undefined
    }
    this.#pending = { why, tokens, finish }
  }

  async #guarded<T>(work: () => Promise<T>): Promise<T> {
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
    await Promise.all(this.#participants.map((participant) => this.#abortOne(participant)))
  }

  async #abortOne(participant: Participant): Promise<void> {
    const { state } = participant
    participant.state = 'ended'
    if (state === 'open') await participant.rollback(this.#context.settings.settleTimeoutMs)
    else if (state === 'prepared' || state === 'preparing') await this.#rollbackPrepared(participant)
    else participant.release()
  }

  async #rollbackPrepared(participant: Participant): Promise<void> {
    if (this.#decider === undefined) return participant.destroy(undefined)
    const gid = this.#gid(this.#decider, participant)
    const done = await finishPrepared(this.#context, participant, gid, 'abort', this.#context.settings.settleTimeoutMs)
    if (!done) this.#countUnsettled(participant.shard)
    participant.release()
  }

  /** A token costs a round trip: read when a context or a hook will look at it. */
  async #tokens(parts: readonly Part[], gidOf: (part: Part) => string | undefined = settled): Promise<CommitToken[]> {
    if (!this.#wantsTokens) return []
    return await Promise.all(
      parts.map((part) => {
        const gid = gidOf(part)
        return gid === undefined ? partToken(this.#context, part) : unsettledToken(this.#context, part, gid)
      }),
    )
  }

  #gid(decider: Vote, participant: Participant): string {
    return gidOf(this.#context, this.#txid, decider, participant)
  }

  /** Deferred constraints and triggers may wait for locks at PREPARE, and at the decider's COMMIT. */
  #lockError(error: unknown, { shard }: Participant): unknown {
    return lockError(error, this.#name(shard), this.#gaveWay)
  }

  #countUnsettled(shard: number): void {
    this.#context.telemetry.count('shardwright.transactions.unsettled', 1, { shard: this.#name(shard) })
  }

  #name(shard: number): string {
    return shardIdOf(this.#context, shard)
  }
}

function settled(): undefined {}

function ignore(): void {}
