import type { Commit, CommitToken } from '@shardwright/core'
import { AbortedTransactionError } from 'kysely'
import { endsSession, sqlStateOf } from '../pool/sql-state.ts'
import { type AtomicContext, reach, shardIdOf, unknownPlace, withDirectClient } from './atomic-context.ts'
import { commitDecisionSql, installDecisionTable } from './decision-table.ts'
import { finishPrepared } from './finish-prepared.ts'
import { formatGid, gidName } from './gid.ts'
import type { Participant } from './participant.ts'
import { prepareError, refuseNotify } from './prepare-error.ts'
import { resolveDecision } from './resolve-decision.ts'
import { transactionError } from './transaction-error.ts'
import { type Vote, voteOf } from './vote.ts'

/** What `commit` of a transaction across shards tells. */
export interface AtomicCommit extends Commit {
  /** Shards that could not be reached after the decision: committed there too, visible when recovery gets through. */
  readonly unsettled: readonly string[]
}

/**
 * Commits the parts of one transaction all or nothing. One writer: a plain COMMIT. Several: the first is the decider; the
 * others are prepared, the decider commits with a row that says so, the others follow.
 *
 * When it rejects, nothing is committed anywhere, except under TRANSACTION_IN_DOUBT, where nobody can know yet.
 */
export class AtomicCommitter {
  readonly #context: AtomicContext
  readonly #txid: string
  readonly #participants: readonly Participant[]
  #decider: Vote | undefined

  constructor(context: AtomicContext, txid: string, participants: readonly Participant[]) {
    this.#context = context
    this.#txid = txid
    this.#participants = participants
  }

  async commit(): Promise<AtomicCommit> {
    const only = this.#participants.length === 1 ? this.#participants[0] : undefined
    if (only) {
      await this.#guarded(() => this.#plainCommit(only))
      return { tokens: only.mayHaveWritten ? [await this.#token(only.shard, '')] : [], unsettled: [] }
    }
    const writers = await this.#guarded(() => this.#commitReaders())
    const [decider, ...others] = writers
    if (!decider) return { tokens: [], unsettled: [] }
    if (others.length === 0) {
      await this.#guarded(() => this.#plainCommit(decider.participant))
      return { tokens: [await this.#token(decider.participant.shard, decider.incarnation)], unsettled: [] }
    }
    return await this.#commitTwoPhase(decider, others)
  }

  async #commitTwoPhase(decider: Vote, others: readonly Vote[]): Promise<AtomicCommit> {
    this.#decider = decider
    const { telemetry } = this.#context
    const span = telemetry.span('shardwright.transaction.commit', { participants: others.length + 1 })
    try {
      await this.#guarded(async () => {
        await this.#checkReady(decider, others)
        await this.#prepareAll(decider, others)
      })
      await this.#decide(decider, others)
      const unsettled = await this.#settle(decider, others)
      const tokens = await Promise.all(
        [decider, ...others].map((vote) =>
          unsettled.has(vote)
            ? unknownPlace(this.#context, vote.participant.shard, vote.incarnation)
            : this.#token(vote.participant.shard, vote.incarnation),
        ),
      )
      span.end()
      return { tokens, unsettled: [...unsettled].map((vote) => this.#name(vote.participant.shard)) }
    } catch (error) {
      span.end({ error })
      throw error
    }
  }

  /** Those that wrote nothing end first: a serialization failure of theirs still stops the whole. */
  async #commitReaders(): Promise<Vote[]> {
    const votes = await Promise.all(this.#participants.map((each) => (each.mayHaveWritten ? voteOf(each) : undefined)))
    const writers = votes
      .filter((vote) => vote !== undefined)
      .filter((vote) => vote.xid !== null || vote.participant.notified)
    if (writers.length > 1)
      refuseNotify(
        writers.map((vote) => vote.participant),
        (shard) => this.#name(shard),
      )
    const writing = new Set(writers.map((vote) => vote.participant))
    await Promise.all(this.#participants.filter((each) => !writing.has(each)).map((each) => this.#plainCommit(each)))
    return writers
  }

  async #plainCommit(participant: Participant): Promise<void> {
    participant.state = 'committing'
    const { command } = await participant.run('commit')
    participant.state = 'ended'
    participant.release()
    // COMMIT of a failed transaction succeeds with the tag ROLLBACK.
    if (command !== 'COMMIT') throw new AbortedTransactionError()
  }

  async #checkReady(decider: Vote, others: readonly Vote[]): Promise<void> {
    const unable = others.find((vote) => vote.maxPrepared === 0)
    if (unable) {
      const shard = this.#name(unable.participant.shard)
      throw transactionError(
        'ATOMIC_COMMIT_UNAVAILABLE',
        `The transaction wrote on several shards, and max_prepared_transactions is 0 on shard '${shard}'.`,
        { details: { shard } },
      )
    }
    if (decider.hasTable) return
    const { shard } = decider.participant
    await withDirectClient(this.#context, shard, (client) => installDecisionTable(client, this.#name(shard)))
  }

  async #prepareAll(decider: Vote, others: readonly Vote[]): Promise<void> {
    const results = await Promise.allSettled(others.map((vote, index) => this.#prepare(decider, vote, index)))
    const failed = results.find((result) => result.status === 'rejected')
    if (failed) throw failed.reason
  }

  async #prepare(decider: Vote, { participant }: Vote, index: number): Promise<void> {
    const at = { shard: participant.shard, index, txid: this.#txid }
    await reach(this.#context, 'before prepare', at)
    participant.state = 'preparing'
    try {
      const { command } = await participant.run(`prepare transaction '${this.#gid(decider, participant)}'`)
      participant.state = command === 'PREPARE' ? 'prepared' : 'ended'
      // PREPARE TRANSACTION in a failed transaction succeeds with the tag ROLLBACK.
      if (command !== 'PREPARE') throw new AbortedTransactionError()
    } catch (error) {
      // An error from the server means that the transaction is rolled back there.
      if (isPlainRefusal(error)) participant.state = 'open'
      throw prepareError(error, this.#name(participant.shard))
    }
    await reach(this.#context, 'after prepare', at)
  }

  async #decide(decider: Vote, others: readonly Vote[]): Promise<void> {
    const { participant } = decider
    const at = { shard: participant.shard, index: 0, txid: this.#txid }
    const participants = [decider, ...others].map((vote) => gidName(this.#name(vote.participant.shard)))
    const sql = commitDecisionSql({ txid: this.#txid, topology: this.#context.topology, participants })
    try {
      await reach(this.#context, 'before decision', at)
      participant.state = 'committing'
      const { command } = await participant.run(sql)
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
      throw this.#decisionError(error)
    }
    participant.destroy(error)
    let outcome: 'commit' | 'abort'
    try {
      outcome = await resolveDecision(this.#context, this.#txid, decider, others, error)
    } catch (doubt) {
      // Their sessions are empty: what is prepared belongs to no session.
      for (const each of this.#participants) each.release()
      throw doubt
    }
    participant.state = 'ended'
    if (outcome === 'commit') return
    await this.abort()
    throw error
  }

  #decisionError(error: unknown): unknown {
    const table = (error as { table?: unknown } | null)?.table
    if (sqlStateOf(error) === '23505' && table === 'transaction_decision') {
      return transactionError('ABORTED_BY_RECOVERY', `Transaction ${this.#txid} was aborted by recovery.`, {
        cause: error,
      })
    }
    if (sqlStateOf(error) === '42501' && table === undefined) {
      return transactionError(
        'DECISION_TABLE_UNAVAILABLE',
        'The role may not write shardwright.transaction_decision.',
        {
          cause: error,
        },
      )
    }
    return error
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
    if (state === 'open') await rollback(participant)
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

  /** The commit stands whether or not its place in the log can be read. */
  async #token(shard: number, incarnation: string): Promise<CommitToken> {
    try {
      return await this.#context.pool.commitToken(shard)
    } catch (error) {
      const id = this.#name(shard)
      this.#context.telemetry.log('warn', `No commit token of shard '${id}': ${messageOf(error)}`, { shard: id })
      return unknownPlace(this.#context, shard, incarnation)
    }
  }

  #gid(decider: Vote, participant: Participant): string {
    return formatGid({
      topology: this.#context.topology,
      txid: this.#txid,
      decider: gidName(this.#name(decider.participant.shard)),
      incarnation: decider.incarnation,
      participant: gidName(this.#name(participant.shard)),
    })
  }

  #countUnsettled(shard: number): void {
    this.#context.telemetry.count('shardwright.transactions.unsettled', 1, { shard: this.#name(shard) })
  }

  #name(shard: number): string {
    return shardIdOf(this.#context, shard)
  }
}

async function rollback(participant: Participant): Promise<void> {
  try {
    await participant.run('rollback')
    participant.release()
  } catch (error) {
    // The server rolls back what its client leaves open.
    participant.destroy(error)
  }
}

function isPlainRefusal(error: unknown): boolean {
  return sqlStateOf(error) !== undefined && !endsSession(error)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
