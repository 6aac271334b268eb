import { isRefusal } from '../pool/safe-again.ts'
import type { AtomicCommit } from './atomic-commit.ts'
import type { AtomicContext } from './atomic-context.ts'
import { collectVotes, deciderFirst } from './collect-votes.ts'
import { EndingParts } from './ending-parts.ts'
import type { LastParts } from './last-statements.ts'
import type { Participant } from './participant.ts'
import type { PendingCommit } from './pending-commit.ts'
import { refuseNotify } from './prepare-error.ts'
import { knownFacts } from './session-facts.ts'
import { TwoPhaseCommit } from './two-phase-commit.ts'
import type { Vote } from './vote.ts'
import { whileAnswering } from './while-answering.ts'

/**
 * Commits the parts of one transaction all or nothing. One writer: a plain COMMIT. Several: two phases, and the first
 * decides.
 *
 * When it rejects, nothing is committed anywhere, except under TRANSACTION_IN_DOUBT, where nobody can know yet, and where
 * the COMMIT of one writer was `lost`.
 */
export class AtomicCommitter {
  readonly #parts: EndingParts
  /** What the last statements have left prepared, if they could. */
  readonly #last: LastParts | undefined
  #lost = false
  #twoPhase: TwoPhaseCommit | undefined

  constructor(
    context: AtomicContext,
    txid: string,
    participants: readonly Participant[],
    wantsTokens: boolean,
    last?: LastParts,
  ) {
    this.#parts = new EndingParts(context, txid, participants, wantsTokens)
    this.#parts.decider = last?.decider
    this.#last = last
  }

  /** True when the one COMMIT that there was got no answer: it may be done, or not, and nothing finishes it later. */
  get lost(): boolean {
    return this.#lost
  }

  /** How many shards joined. */
  get participants(): number {
    return this.#parts.all.length
  }

  /** What is still to come when `commit` has answered: the commit is in doubt, or not settled on some shard. */
  get pending(): PendingCommit | undefined {
    return this.#twoPhase?.pending
  }

  /** Ends a deadlock: what waits now is cancelled. Once the decision stands there is nothing to cancel. */
  giveWay(): void {
    this.#parts.giveWay()
  }

  async commit(): Promise<AtomicCommit> {
    if (this.#last?.others) return await this.#commitTwoPhase(this.#last.decider, this.#last.others, this.#last.others)
    const [only, ...more] = this.#parts.all
    if (only && more.length === 0) {
      await this.#parts.guarded(() => this.#commitAlone(only))
      const facts = knownFacts(only.lease.session)
      return {
        tokens: await this.#parts.tokens(only.mayHaveWritten ? [{ participant: only, facts }] : []),
        unsettled: [],
      }
    }
    const [decider, ...others] = await this.#parts.guarded(() => this.#commitReaders())
    if (!decider) return { tokens: [], unsettled: [] }
    if (others.length > 0) return await this.#commitTwoPhase(decider, others)
    await this.#parts.guarded(() => this.#commitAlone(decider.participant))
    return { tokens: await this.#parts.tokens([decider]), unsettled: [] }
  }

  /** Rolls back everywhere, before anything is committed. */
  async abort(): Promise<void> {
    await this.#parts.abort()
  }

  async #commitTwoPhase(decider: Vote, others: readonly Vote[], prepared?: readonly Vote[]): Promise<AtomicCommit> {
    this.#twoPhase = new TwoPhaseCommit(this.#parts, decider)
    return await this.#twoPhase.run(others, prepared)
  }

  /** Those that wrote nothing end first: a serialization failure of theirs still stops the whole. */
  async #commitReaders(): Promise<Vote[]> {
    const { context, all } = this.#parts
    const votes = await whileAnswering(context, all, collectVotes(all))
    const wrote = (vote: Vote) => vote.xid !== null || vote.participant.notified
    const writers = votes.some(wrote) ? votes.filter((vote) => wrote(vote) || vote.participant.mayNotify) : []
    const writing = writers.map((vote) => vote.participant)
    if (writing.length > 1) refuseNotify(writing, (shard) => this.#parts.nameOf(shard))
    const readers = all.filter((each) => !writing.includes(each))
    await Promise.all(readers.map((each) => this.#parts.plainCommit(each)))
    return await whileAnswering(context, all, deciderFirst(writers))
  }

  async #commitAlone(participant: Participant): Promise<void> {
    try {
      await this.#parts.plainCommit(participant)
    } catch (error) {
      this.#lost = participant.state === 'committing' && !isRefusal(error)
      throw this.#parts.lockError(error, participant)
    }
  }
}
