import { currentReadContext, uuidV7 } from '@shardwright/core'
import { AbortedTransactionError, type TransactionSettings } from 'kysely'
import type { RunOptions, Statement, StatementResult } from '../pool/shard-pool.ts'
import { Turn } from './admission.ts'
import type { AtomicCommit } from './atomic-commit.ts'
import { AtomicCommitter } from './atomic-committer.ts'
import { type AtomicContext, shardIdOf } from './atomic-context.ts'
import { CommitHooks } from './commit-hooks.ts'
import { DeadlockWatch } from './deadlock-watch.ts'
import { type LastPart, type LastParts, LastStatements } from './last-statements.ts'
import { lockError } from './lock-error.ts'
import { Participant } from './participant.ts'
import type { PendingCommit } from './pending-commit.ts'
import { beginSql, type RouterTransaction, type ShardStatement } from './router-transaction.ts'
import { spanningSql } from './session-name.ts'
import { transactionEnded, transactionError } from './transaction-error.ts'
import { assumedVote, takeNumberSql, voteOf } from './vote.ts'
import { whileOpen } from './while-open.ts'

/** From here on the triggers of lookups note what they see. */
const keepChangesSql = "; set local shardwright.lookup_changes = '-'"

/** How long a lock is waited for by one who can come back later. */
const hurriedMs = 100

const inserts = /^\s*insert\b/i

interface OpenSavepoint {
  readonly name: string
  readonly sql: string
}

/**
 * A transaction that any shard may join, committed on all of them or none. A statement that fails on one shard fails the
 * transaction on all, until it is rolled back to a savepoint, as on one PostgreSQL.
 */
export class AtomicTransaction implements RouterTransaction {
  readonly scope: CommitHooks
  readonly spansShards = true
  /** Names the transaction on every shard; grows with time, so that the greatest is the youngest. */
  readonly txid = uuidV7()
  readonly #context: AtomicContext
  readonly #settings: TransactionSettings
  readonly #savepoints: OpenSavepoint[] = []
  readonly #joining = new Map<number, Promise<Participant>>()
  readonly #participants = new Map<number, Participant>()
  /** The first that joined: it decides, when it wrote. */
  #first: Participant | undefined
  /** Cancelled here, to end a deadlock. */
  #givenUp = false
  #manyShards = false
  #hurried = false
  readonly #turn: Turn
  #lastParts: LastParts | undefined
  #failed = false
  #ended = false

  constructor(context: AtomicContext, settings: TransactionSettings) {
    this.#context = context
    this.#settings = settings
    this.scope = new CommitHooks(context.telemetry)
    this.#turn = new Turn(context.admission)
  }

  get shards(): readonly number[] {
    return [...this.#participants.keys()]
  }

  async execute(shard: number, statement: Statement, options?: RunOptions): Promise<StatementResult> {
    const participant = await this.#participantFor(shard, statement, options)
    try {
      const result = await this.#watched(
        this.#participants.size,
        () => participant.execute(statement, options),
        () => this.#giveWay(),
      )
      participant.noteResult(statement, result)
      if (participant.spanning && participant.hasWritten) this.#askEarly(participant)
      return result
    } catch (error) {
      throw this.#failure(error, shard)
    }
  }

  async executeLast(statements: readonly ShardStatement[], options?: RunOptions): Promise<StatementResult[]> {
    const last = await this.#lastStatements(statements, options)
    if (last === undefined) {
      return await Promise.all(statements.map(({ shard, statement }) => this.execute(shard, statement, options)))
    }
    try {
      const results = await this.#watched(
        statements.length,
        () => last.run(options, (error, shard) => this.#failure(error, shard)),
        () => this.#giveWay(),
      )
      const { shards } = last
      return statements.map(({ shard }) => results[shards.indexOf(shard)] as StatementResult)
    } catch (error) {
      this.#failed = true
      throw error
    } finally {
      this.#lastParts = last.parts
    }
  }

  /** Undefined where PREPARE has to wait for the answers: something is not known of a session yet, or stands between. */
  async #lastStatements(
    statements: readonly ShardStatement[],
    options: RunOptions | undefined,
  ): Promise<LastStatements | undefined> {
    if (statements.length < 2 || this.#joining.size > 0) return undefined
    const parts = await Promise.all(
      statements.map(async ({ shard, statement }) => {
        const participant = await this.#participantFor(shard, statement, options)
        return { participant, vote: assumedVote(participant), statement }
      }),
    )
    const usable = parts.every(({ participant: { lease, notified } }) => lease.takesBatches === true && !notified)
    const [decider, ...others] = parts.toSorted(
      (a, b) => Number(b.participant.numbered) - Number(a.participant.numbered),
    )
    if (!usable || !decider?.participant.numbered || decider.vote?.facts.hasTable !== true) return undefined
    const known = [decider, ...others].filter((part): part is LastPart & typeof part => part.vote !== undefined)
    return known.length === parts.length ? new LastStatements(this.#context, this.txid, known) : undefined
  }

  async *stream(
    shard: number,
    statement: Statement,
    chunkSize: number,
    options?: RunOptions,
  ): AsyncIterableIterator<StatementResult> {
    const participant = await this.#participantFor(shard, statement, options)
    const chunks = participant.lease.stream(statement, chunkSize, options)
    yield* whileOpen(chunks, async (next) => {
      this.#checkUsable()
      try {
        const step = await next()
        if (step.done !== true) participant.noteResult(statement, step.value)
        return step
      } catch (error) {
        throw this.#failure(error, shard)
      }
    })
  }

  async savepoint(sql: string, name: string): Promise<void> {
    this.#checkUsable()
    await this.#allJoined()
    this.#savepoints.push({ name, sql })
    this.scope.savepoint(name)
    await this.#onAll(sql)
  }

  async rollbackToSavepoint(sql: string, name: string): Promise<void> {
    if (this.#ended) throw transactionEnded()
    await this.#allJoined()
    const at = this.#savepoints.findLastIndex((open) => open.name === name)
    if (at >= 0) this.#savepoints.length = at + 1
    // What was SET since the savepoint is undone with it.
    await this.#onAll(this.#first === undefined ? sql : `${sql}; ${spanningSql(this.txid, this.#lockTimeoutMs)}`)
    this.#failed = false
    await this.scope.rollbackTo(name)
  }

  async releaseSavepoint(sql: string, name: string): Promise<void> {
    this.#checkUsable()
    await this.#allJoined()
    const at = this.#savepoints.findLastIndex((open) => open.name === name)
    if (at >= 0) this.#savepoints.length = at
    await this.#onAll(sql)
    this.scope.release(name)
  }

  async commit(): Promise<AtomicCommit> {
    await this.#allJoined()
    const committer = this.#end()
    let commit: AtomicCommit
    try {
      if (this.#failed) {
        await committer.abort()
        throw new AbortedTransactionError()
      }
      commit = await this.#watched(
        committer.participants,
        () => committer.commit(),
        () => committer.giveWay(),
      )
    } catch (error) {
      this.#turn.leave()
      // What makes others look again must run where it may be committed.
      if (committer.lost) await this.scope.committed({ tokens: [] })
      else if (committer.pending) await this.#tellTwice(committer.pending)
      else await this.scope.rolledBack()
      throw error
    }
    this.#turn.leave()
    if (committer.pending) await this.#tellTwice(committer.pending)
    else await this.scope.committed(commit)
    return commit
  }

  /** A reader may see the old values until the rest is finished: hooks run now, and once more then. */
  async #tellTwice({ why, tokens, finish }: PendingCommit): Promise<void> {
    // Who looks whether it was committed must not be shown what was there before it is over.
    if (why === 'in doubt') for (const token of tokens) currentReadContext()?.add(token)
    await this.scope.pending({ tokens, pending: why })
    this.#context.aftermath.start(async (signal) => {
      const commit = await finish(signal)
      await (commit ? this.scope.committed(commit) : this.scope.rolledBack())
    })
  }

  /** Does nothing after `commit`, also when that failed: it has rolled back what it could, and doubt stays doubt. */
  async rollback(): Promise<void> {
    if (this.#ended) return
    await this.#allJoined()
    try {
      await this.#end().abort()
    } finally {
      this.#turn.leave()
    }
    await this.scope.rolledBack()
  }

  forManyShards(hurried: boolean): void {
    this.#manyShards = true
    this.#hurried = hurried
  }

  async cancel(): Promise<void> {
    await Promise.all([...this.#participants.values()].map(({ lease }) => lease.cancel()))
  }

  async kill(): Promise<void> {
    await Promise.all([...this.#participants.values()].map(({ lease }) => lease.kill()))
  }

  #giveWay(): void {
    this.#givenUp = true
    this.cancel().catch(ignore)
  }

  /** A transaction on one shard is its server's to watch. */
  async #watched<T>(participants: number, work: () => Promise<T>, giveWay: () => void): Promise<T> {
    if (participants < 2) return await work()
    const watch = new DeadlockWatch(this.#context, this.txid, giveWay)
    try {
      return await work()
    } finally {
      watch.stop()
    }
  }

  #end(): AtomicCommitter {
    this.#ended = true
    const participants = [...this.#participants.values()]
    this.#participants.clear()
    this.#joining.clear()
    // A token is read only for those who look at it.
    const wantsTokens = this.scope.wrote && (this.scope.awaited || currentReadContext() !== undefined)
    return new AtomicCommitter(this.#context, this.txid, participants, wantsTokens, this.#lastParts)
  }

  async #participantFor(shard: number, statement: Statement, options?: RunOptions): Promise<Participant> {
    this.#checkUsable()
    const participant = await this.#join(shard, statement, options)
    // Another shard's part of the same statement may have failed while this one joined.
    this.#checkUsable()
    participant.note(statement)
    if (statement.access === 'write') this.scope.markWritten()
    return participant
  }

  async #join(shard: number, statement: Statement, options?: RunOptions): Promise<Participant> {
    let joining = this.#joining.get(shard)
    if (joining === undefined) {
      joining = this.#open(shard, statement, options)
      this.#joining.set(shard, joining)
    }
    try {
      return await joining
    } catch (error) {
      this.#joining.delete(shard)
      this.#failed = true
      throw error
    }
  }

  async #open(shard: number, statement: Statement, options?: RunOptions): Promise<Participant> {
    // Before its first session: later it would hold what others need.
    await this.#turn.come(options)
    const lease = await this.#context.pool.lease(shard, { ...options, access: 'write' })
    const participant = new Participant(shard, lease)
    try {
      // BEGIN travels with the statement behind it. Shards of one statement join together.
      const spanning = this.#manyShards || this.#first !== undefined || this.#joining.size > 1
      participant.spanning = spanning
      this.#first ??= participant
      // An INSERT writes as a rule: the number by which its shard may decide comes without a question.
      participant.numbered = spanning && participant === this.#first && inserts.test(statement.sql)
      const begin = `${beginSql(this.#settings)}${this.#context.keepsLookups ? keepChangesSql : ''}`
      const number = participant.numbered ? takeNumberSql : ''
      await participant.run(spanning ? `${begin}; ${spanningSql(this.txid, this.#lockTimeoutMs)}${number}` : begin)
      for (const { sql } of this.#savepoints) await participant.run(sql)
    } catch (error) {
      participant.destroy(error)
      throw error
    }
    this.#participants.set(shard, participant)
    const first = this.#first
    if (first !== undefined && first !== participant && !first.spanning) this.#askEarly(first)
    return participant
  }

  /** While other shards work, the first makes ready to decide. */
  #askEarly(first: Participant): void {
    if (first !== this.#first || first.numbered || first.earlyVote !== undefined || !first.held) return
    const before = first.spanning ? '' : `${spanningSql(this.txid, this.#lockTimeoutMs)}; `
    first.spanning = true
    first.earlyVote = voteOf(first, before).catch(() => undefined)
  }

  get #lockTimeoutMs(): number | null {
    const { lockTimeoutMs } = this.#context.settings
    return this.#hurried ? Math.min(hurriedMs, lockTimeoutMs ?? hurriedMs) : lockTimeoutMs
  }

  async #allJoined(): Promise<void> {
    await Promise.allSettled(this.#joining.values())
  }

  async #onAll(sql: string): Promise<void> {
    const results = await Promise.allSettled([...this.#participants.values()].map((each) => each.run(sql)))
    const failed = results.find((result) => result.status === 'rejected')
    if (failed === undefined) return
    this.#failed = true
    throw failed.reason
  }

  #failure(error: unknown, shard: number): unknown {
    this.#failed = true
    return lockError(error, shardIdOf(this.#context, shard), this.#givenUp)
  }

  #checkUsable(): void {
    if (this.#ended) throw transactionEnded()
    if (this.#failed) {
      throw transactionError(
        'TRANSACTION_FAILED',
        'The transaction failed before; statements are ignored until its end, or until ROLLBACK TO SAVEPOINT.',
        { details: { sqlState: '25P02' } },
      )
    }
  }
}

/** The statement's own end, or its lock_timeout, comes all the same. */
function ignore(): void {}
