import type { Query } from 'pg'
import type { NameGeneration } from './name-generation.ts'
import type { PipelinedQuery } from './pipelined-query.ts'
import { PreparedNames } from './prepared-names.ts'
import type { RowReader } from './row-reader.ts'
import type { Session } from './session.ts'
import type { Statement, StatementResult } from './shard-pool.ts'
import type { StatementShape } from './statement-shape.ts'
import { destroySocket } from './stop-statement.ts'
import type { WireConnection } from './wire-connection.ts'
import { unnamedForm, type WireForm } from './wire-query.ts'

interface Follower {
  readonly statement: Statement
  readonly send: (statement: Statement) => Promise<StatementResult>
  readonly promise: Promise<StatementResult | undefined>
  readonly resolve: (result: StatementResult | undefined) => void
}

/** One client that sends without waiting; many callers' statements are on it at once, answered in order. */
export class PipelinedClient {
  readonly session: Session
  /** When the latest answer came: the statement behind it started then. */
  lastAnswerAt = 0
  /** The server ended it for having nothing to do. */
  endedIdle = false
  /** When it last went from idle to busy. */
  busySince = 0
  #retired = false
  #lost = false
  readonly #names: PreparedNames<StatementShape>
  readonly #stream: WireConnection['stream']
  readonly #uncork: () => void
  #corked = false
  #aside = false
  #answers = 0
  readonly #underWay = new Set<PipelinedQuery>()
  #follower: Follower | undefined

  constructor(session: Session, generation: NameGeneration) {
    this.session = session
    this.#names = new PreparedNames(generation)
    const { stream } = session.client.connection as unknown as WireConnection
    this.#stream = stream
    this.#uncork = () => {
      this.#sendFollower()
      this.#corked = false
      stream.uncork?.()
    }
  }

  /** Sent and not answered, in the order of their answers. */
  get underWay(): ReadonlySet<PipelinedQuery> {
    return this.#underWay
  }

  get inFlight(): number {
    return this.#underWay.size
  }

  /** True while something on it waits, and with it whatever is sent behind. */
  get isAside(): boolean {
    if (this.#underWay.size === 0) this.#aside = false
    return this.#aside
  }

  setAside(): void {
    this.#aside = true
  }

  get names(): number {
    return this.#names.count
  }

  get usable(): boolean {
    return !this.#retired && !this.session.dead && !this.session.altered
  }

  /** How to send a shape here: by name from its second use on, as one-off texts would fill the server with names. */
  formOf(shape: StatementShape): WireForm {
    if (!this.session.address.preparedStatements || shape.uses++ === 0) return unnamedForm
    return this.#names.formOf(shape)
  }

  /** True when a statement of this shape would be sent by the name of this form now. */
  usesName(shape: StatementShape, form: WireForm): boolean {
    return this.#names.uses(shape, form)
  }

  keep(shape: StatementShape, form: WireForm, reader: RowReader | undefined): void {
    this.#names.keep(shape, form, reader)
  }

  forget(shape: StatementShape, form: WireForm): void {
    this.#names.forget(shape, form)
  }

  /** The session has lost a name, and with it all others. */
  forgetAll(): void {
    this.#names.clear()
  }

  /** Writes of one turn of the event loop leave in one system call: the server answers them in one batch too. */
  send(query: PipelinedQuery): void {
    if (this.#underWay.size === 0) this.busySince = query.sentAt
    this.#underWay.add(query)
    if (!this.#corked) {
      this.#corked = true
      this.#stream.cork?.()
      process.nextTick(this.#uncork)
    }
    this.session.client.query(query as unknown as Query)
  }

  answered(query: PipelinedQuery): void {
    this.#answers++
    this.#underWay.delete(query)
  }

  /** The first statements of a session read catalogs, which the ones behind them do not. */
  get isNew(): boolean {
    return this.#answers <= firstAnswers
  }

  /**
   * The answer of a statement that `send` sends behind all others of this turn, once for all of them; undefined when it is
   * not given. One that travels behind them already and is another statement leaves no room for this one.
   */
  follow(statement: Statement, send: Follower['send']): Promise<StatementResult | undefined> | undefined {
    this.#follower ??= { statement, send, ...Promise.withResolvers<StatementResult | undefined>() }
    return this.#follower.statement === statement ? this.#follower.promise : undefined
  }

  #sendFollower(): void {
    const follower = this.#follower
    if (follower === undefined) return
    this.#follower = undefined
    // What was sent before it retired is still answered; this would not be.
    if (!this.usable) follower.resolve(undefined)
    else follower.send(follower.statement).then(follower.resolve, () => follower.resolve(undefined))
  }

  /** True once: of the many statements that a lost connection fails, for the first. */
  isFirstLoss(): boolean {
    const first = !this.#lost
    this.#lost = true
    return first
  }

  /** True when something was sent and nothing has come back for so long. */
  isStalled(now: number, answerTimeoutMs: number): boolean {
    return this.inFlight > 0 && now - Math.max(this.lastAnswerAt, this.busySince) > answerTimeoutMs
  }

  /** Cuts the connection: everything on it fails now. */
  destroy(): void {
    this.#retired = true
    this.session.markDead()
    destroySocket(this.session)
  }

  /** Takes no more statements; ends when the last answer is there. */
  retire(): void {
    if (this.#retired) return
    this.#retired = true
    this.session.client.end().catch(ignore)
  }
}

const firstAnswers = 8

function ignore(): void {}
