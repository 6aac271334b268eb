import type { Batch } from '../pool/batch.ts'
import type { Lease, RunOptions, Statement, StatementResult } from '../pool/shard-pool.ts'
import { command } from './one-shard-transaction.ts'
import type { Vote } from './vote.ts'
import { tooLate, within } from './while-answering.ts'

/** Where a shard's part of the transaction is. `preparing` and `committing`: sent, and no answer yet, or it was lost. */
export type ParticipantState = 'open' | 'preparing' | 'prepared' | 'committing' | 'ended'

const writing: ReadonlySet<string> = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE'])

const notifies = /^\s*(?:notify|listen|unlisten)\b|\bpg_notify\s*\(/i

/** A name in front of a parenthesis that is no keyword. */
const calls = /\b(?!(?:in|exists|any|all|some|and|or|not|where|from|on|by|values|using|select)\b)\w+"?\s*\(/i

/** One shard's part of a transaction: its session, and how far it has come. */
export class Participant {
  readonly shard: number
  readonly lease: Lease
  state: ParticipantState = 'open'
  /** True when a statement other than a plain read was sent: only then is it asked whether it wrote. */
  mayHaveWritten = false
  /** True when rows were seen to be written: it takes part in the commit without being asked. */
  hasWritten = false
  /** True when the session has the name and the timeout of a transaction across shards. */
  spanning = false
  /** True when BEGIN took a transaction number: it may decide without being asked for it. */
  numbered = false
  /** Asked for while other shards work; undefined when it did not answer. */
  earlyVote: Promise<Vote | undefined> | undefined
  /** True when a statement is seen to use NOTIFY; a trigger's is seen by the server only. */
  notified = false
  /** True when a statement called what may notify: it takes no transaction number before the end, so only PREPARE can tell. */
  mayNotify = false
  #running = 0
  #last: Promise<unknown> = Promise.resolve()
  #returned = false

  constructor(shard: number, lease: Lease) {
    this.shard = shard
    this.lease = lease
  }

  note(statement: Statement): void {
    if (statement.access === 'write') this.mayHaveWritten = true
    if (notifies.test(statement.sql)) this.notified = true
  }

  noteResult(statement: Statement, { command, rowCount }: StatementResult): void {
    if (writing.has(command)) this.hasWritten ||= rowCount > 0
    else this.mayNotify ||= statement.access === 'write' && (command !== 'SELECT' || calls.test(statement.sql))
  }

  run(sql: string): Promise<StatementResult> {
    return this.execute(command(sql))
  }

  /** One statement at a time, in the order given: what the transaction itself sends may meet the caller's. */
  execute(statement: Statement, options?: RunOptions, batch?: Batch): Promise<StatementResult> {
    const work = async () => await this.lease.execute(statement, options, batch)
    if (this.#running === 0) return this.#counted(work)
    return this.#counted(() => this.#last.then(work, work))
  }

  #counted(work: () => Promise<StatementResult>): Promise<StatementResult> {
    this.#running++
    const result = work().finally(() => {
      this.#running--
    })
    this.#last = result
    return result
  }

  async rollback(timeoutMs: number): Promise<void> {
    try {
      if ((await within(timeoutMs, this.run('rollback'))) === tooLate) this.destroy(tooLate)
      else this.release()
    } catch (error) {
      // The server rolls back what its client leaves open.
      this.destroy(error)
    }
  }

  release(): void {
    if (this.#returned) return
    this.#returned = true
    this.lease.release()
  }

  /** Ends the session; the server rolls back what is open in it, and keeps what is prepared. */
  destroy(error: unknown): void {
    if (this.#returned) return
    this.#returned = true
    this.lease.destroy(error)
  }

  /** The session can still be used. */
  get held(): boolean {
    return !this.#returned
  }
}
