import { AbortedTransactionError } from 'kysely'
import type { RunOptions, Statement, StatementResult } from '../pool/shard-pool.ts'
import { type AtomicContext, reach, shardIdOf } from './atomic-context.ts'
import { prepareError } from './prepare-error.ts'
import { gidOf, isPlainRefusal, notePrepared, prepareSqlOf } from './prepare-part.ts'
import type { Vote } from './vote.ts'

/** The parts of a transaction of which all but the decider's are, or were to be, prepared behind their last statement. */
export interface LastParts {
  readonly decider: Vote
  /** With the numbers that PREPARE gave; undefined when not all are prepared. */
  readonly others: readonly Vote[] | undefined
}

/** A participant with the last statement that it gets. */
export interface LastPart {
  readonly vote: Vote
  readonly statement: Statement
}

/**
 * Runs the last statement of every participant, and for all but the first, which decides, PREPARE behind it in the same
 * batch: a round trip less. PREPARE leaves when the decider has its number, which comes with BEGIN before its statement
 * runs: by that number recovery knows that the decider's transaction is older than any abort row for it.
 */
export class LastStatements {
  readonly #context: AtomicContext
  readonly #txid: string
  readonly #parts: readonly [LastPart, ...LastPart[]]
  readonly #numbered = Promise.withResolvers<boolean>()
  readonly #prepared: Vote[] = []
  #failed = false

  constructor(context: AtomicContext, txid: string, parts: readonly LastPart[]) {
    this.#context = context
    this.#txid = txid
    // The decider, and at least one more.
    this.#parts = parts as readonly [LastPart, ...LastPart[]]
  }

  /** In the order of `run`'s results. */
  get shards(): readonly number[] {
    return this.#parts.map(({ vote }) => vote.participant.shard)
  }

  get parts(): LastParts {
    const [{ vote }, ...others] = this.#parts
    return { decider: vote, others: this.#prepared.length === others.length ? this.#prepared : undefined }
  }

  /**
   * The results, in the order of the parts, when all have run and all but the first are prepared; else the first failure,
   * when nothing runs any more. `failure` tells what a failed statement is called.
   */
  async run(
    options: RunOptions | undefined,
    failure: (error: unknown, shard: number) => unknown,
  ): Promise<StatementResult[]> {
    const [decider, ...others] = this.#parts
    let first: { readonly error: unknown } | undefined
    const noted = (running: Promise<StatementResult>) =>
      running.catch((error: unknown) => {
        this.#failed = true
        first ??= { error }
        this.#numbered.resolve(false)
        return undefined
      })
    const results = await Promise.all([
      noted(this.#decide(decider, options, failure)),
      ...others.map((part, index) => noted(this.#prepare(part, index, options, failure))),
    ])
    if (first !== undefined) throw first.error
    return results.filter((result) => result !== undefined)
  }

  async #decide(
    { vote: { participant }, statement }: LastPart,
    options: RunOptions | undefined,
    failure: (error: unknown, shard: number) => unknown,
  ): Promise<StatementResult> {
    try {
      return await participant.execute(statement, options, { onBegun: () => this.#numbered.resolve(true) })
    } catch (error) {
      throw failure(error, participant.shard)
    }
  }

  async #prepare(
    { vote, statement }: LastPart,
    index: number,
    options: RunOptions | undefined,
    failure: (error: unknown, shard: number) => unknown,
  ): Promise<StatementResult> {
    const { participant } = vote
    const { shard } = participant
    let answered = false
    let stopped: { readonly error: unknown } | undefined
    const commands = this.#commandsFor(vote, index).catch((error: unknown) => {
      stopped = { error }
      return undefined
    })
    let result: StatementResult
    try {
      const onAnswered = () => {
        answered = true
      }
      result = await participant.execute(statement, options, { onAnswered, behind: () => commands })
    } catch (error) {
      if (participant.state === 'preparing' && isPlainRefusal(error)) participant.state = 'open'
      // Deferred constraints and triggers may wait for locks at PREPARE.
      const told = failure(error, shard)
      throw answered ? prepareError(told, shardIdOf(this.#context, shard)) : told
    }
    if (stopped !== undefined) throw stopped.error
    // Another part has failed before this one was to be prepared.
    if (participant.state !== 'preparing') throw new AbortedTransactionError()
    const { command, row } = result.behind ?? {}
    const xid = notePrepared(participant, shardIdOf(this.#context, shard), command, row?.[0])
    this.#prepared.push({ ...vote, xid })
    await reach(this.#context, 'after prepare', { shard, index, txid: this.#txid })
    return result
  }

  async #commandsFor(vote: Vote, index: number): Promise<string | undefined> {
    if (!(await this.#numbered.promise)) return undefined
    const { participant } = vote
    await reach(this.#context, 'before prepare', { shard: participant.shard, index, txid: this.#txid })
    if (this.#failed) return undefined
    participant.state = 'preparing'
    const gid = gidOf(this.#context, this.#txid, this.#parts[0].vote, participant)
    return prepareSqlOf(this.#context, vote, gid)
  }
}
