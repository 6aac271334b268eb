import type { Commit, CommitToken } from '@shardwright/core'
import { AbortedTransactionError } from 'kysely'
import type { AtomicCommit } from './atomic-commit.ts'
import { reach, withDirectClient } from './atomic-context.ts'
import { decisionError } from './decision-error.ts'
import { commitDecisionSql, installDecisionTable } from './decision-table.ts'
import type { EndingParts } from './ending-parts.ts'
import { finishPrepared } from './finish-prepared.ts'
import { gidName } from './gid.ts'
import { partToken, unsettledToken } from './part-token.ts'
import { finishPatiently, type PendingCommit } from './pending-commit.ts'
import { prepareError } from './prepare-error.ts'
import { gidOf, isPlainRefusal, lastSqlOf, notePrepared, prepareSqlOf } from './prepare-part.ts'
import { resolveDecision } from './resolve-decision.ts'
import { rememberTable } from './session-facts.ts'
import { unknownPlace } from './token-after-commit.ts'
import type { Vote } from './vote.ts'

/**
 * Commits what several shards wrote: the others are prepared, the decider commits with a row that says so, the others
 * follow.
 */
export class TwoPhaseCommit {
  readonly #parts: EndingParts
  readonly #decider: Vote
  #pending: PendingCommit | undefined

  constructor(parts: EndingParts, decider: Vote) {
    this.#parts = parts
    this.#decider = decider
    parts.decider = decider
  }

  /** What is still to come when `run` has answered: the commit is in doubt, or not settled on some shard. */
  get pending(): PendingCommit | undefined {
    return this.#pending
  }

  /** `prepared`: the votes of the others, with their numbers, where they are prepared already. */
  async run(candidates: readonly Vote[], prepared: readonly Vote[] | undefined): Promise<AtomicCommit> {
    const span = this.#context.telemetry.span('shardwright.transaction.commit', { participants: candidates.length + 1 })
    try {
      const others = prepared ?? (await this.#parts.guarded(() => this.#prepareAll(candidates)))
      await this.#decide(others)
      const unsettled = await this.#settle(others)
      const tokens = await this.#parts.tokens([this.#decider, ...others], (part) =>
        unsettled.has(part) ? this.#unsettledToken(part) : partToken(this.#context, part),
      )
      span.end()
      if (unsettled.size > 0) this.#goOn('unsettled', tokens, others)
      return { tokens, unsettled: [...unsettled].map((vote) => this.#parts.nameOf(vote.participant.shard)) }
    } catch (error) {
      span.end({ error })
      throw error
    }
  }

  /** The votes with the numbers that PREPARE gave. */
  async #prepareAll(others: readonly Vote[]): Promise<Vote[]> {
    await this.#installTable()
    const results = await Promise.allSettled(others.map((vote, index) => this.#prepare(vote, index)))
    const failed = results.find((result) => result.status === 'rejected')
    if (failed) throw failed.reason
    return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  }

  async #installTable(): Promise<void> {
    if (this.#decider.facts.hasTable) return
    const { shard, lease } = this.#decider.participant
    await withDirectClient(this.#context, shard, (client) => installDecisionTable(client, this.#parts.nameOf(shard)))
    rememberTable(lease.session)
  }

  async #prepare(vote: Vote, index: number): Promise<Vote> {
    const { participant } = vote
    const shard = this.#parts.nameOf(participant.shard)
    let xid: string
    const at = { shard: participant.shard, index, txid: this.#txid }
    await reach(this.#context, 'before prepare', at)
    participant.state = 'preparing'
    try {
      const sql = prepareSqlOf(this.#context, vote, this.#gid(vote))
      const { command, rows } = await this.#parts.answer(participant, sql)
      xid = notePrepared(participant, shard, command, (rows[0] as { readonly xid?: string } | undefined)?.xid)
    } catch (error) {
      // An error from the server means that the transaction is rolled back there.
      if (isPlainRefusal(error)) participant.state = 'open'
      throw prepareError(this.#parts.lockError(error, participant), shard)
    }
    await reach(this.#context, 'after prepare', at)
    return { ...vote, xid }
  }

  async #decide(others: readonly Vote[]): Promise<void> {
    const { participant, facts } = this.#decider
    const at = { shard: participant.shard, index: 0, txid: this.#txid }
    const { topology } = this.#context
    const participants = [this.#decider, ...others].map((vote) => gidName(this.#parts.nameOf(vote.participant.shard)))
    const decision = commitDecisionSql({ txid: this.#txid, topology, participants })
    try {
      await reach(this.#context, 'before decision', at)
      participant.state = 'committing'
      const sql = lastSqlOf(this.#context) + facts.durableSql + decision
      const { command } = await this.#parts.answer(participant, sql)
      participant.state = 'ended'
      if (command !== 'COMMIT') throw new AbortedTransactionError()
    } catch (error) {
      await this.#afterLostDecision(others, error)
    }
    await reach(this.#context, 'after decision', at)
  }

  /** Returns when the decision is commit after all; throws when all is rolled back, or nobody knows. */
  async #afterLostDecision(others: readonly Vote[], error: unknown): Promise<void> {
    const { participant, facts } = this.#decider
    // Errors that end the session (57P..., 08...) may come after the commit record was written.
    if (participant.state === 'committing' && isPlainRefusal(error)) participant.state = 'open'
    if (participant.state !== 'committing') {
      await this.#parts.abort()
      throw decisionError(this.#parts.lockError(error, participant), this.#txid)
    }
    participant.destroy(error)
    let outcome: 'commit' | 'abort'
    try {
      outcome = await resolveDecision(this.#context, this.#txid, this.#decider, others, error)
    } catch (doubt) {
      // Their sessions are empty: what is prepared belongs to no session.
      for (const each of this.#parts.all) each.release()
      const place = unknownPlace(this.#context.pool, participant.shard, facts.incarnation)
      this.#goOn('in doubt', [place, ...others.map((vote) => this.#unsettledToken(vote))], others)
      throw doubt
    }
    participant.state = 'ended'
    if (outcome === 'commit') return
    await this.#parts.abort()
    throw error
  }

  async #settle(others: readonly Vote[]): Promise<ReadonlySet<Vote>> {
    const unsettled = new Set<Vote>()
    await Promise.all(
      others.map(async (vote, index) => {
        const { participant } = vote
        const at = { shard: participant.shard, index, txid: this.#txid }
        await reach(this.#context, 'before commit prepared', at)
        const { settleTimeoutMs } = this.#context.settings
        if (await finishPrepared(this.#context, participant, this.#gid(vote), 'commit', settleTimeoutMs))
          participant.state = 'ended'
        else unsettled.add(vote)
        participant.release()
        await reach(this.#context, 'after commit prepared', at)
      }),
    )
    this.#decider.participant.release()
    for (const vote of unsettled) this.#parts.countUnsettled(vote.participant.shard)
    return unsettled
  }

  #goOn(why: PendingCommit['why'], tokens: readonly CommitToken[], others: readonly Vote[]): void {
    const decider = this.#decider
    const prepared = { txid: this.#txid, decider, others, gidOf: (part: Vote) => this.#gid(part) }
    const finish = async (signal: AbortSignal): Promise<Commit | undefined> => {
      const known = why === 'unsettled' ? 'commit' : undefined
      const outcome = await finishPatiently(this.#context, prepared, known, signal)
      return outcome === 'commit' ? { tokens: await this.#parts.tokens([decider, ...others]) } : undefined
    }
    this.#pending = { why, tokens, finish }
  }

  #unsettledToken(vote: Vote): CommitToken {
    return unsettledToken(this.#context, vote, this.#gid(vote))
  }

  #gid({ participant }: Vote): string {
    return gidOf(this.#context, this.#txid, this.#decider, participant)
  }

  get #context() {
    return this.#parts.context
  }

  get #txid(): string {
    return this.#parts.txid
  }
}
