import type { Query } from 'pg'
import { emptyReader, type RowReader } from './row-reader.ts'
import type { Session } from './session.ts'
import type { StatementShape } from './statement-shape.ts'
import { destroySocket } from './stop-statement.ts'
import type { WireConnection } from './wire-connection.ts'
import { unnamedForm, type WireForm, type WireQuery } from './wire-query.ts'

interface Prepared {
  /** `parsing`: its first use is under way; others must not share a name that may turn out to be refused. */
  state: 'parsing' | 'ready'
  form: WireForm
}

/** One client that sends without waiting; many callers' statements are on it at once, answered in order. */
export class PipelinedClient {
  readonly session: Session
  /** Sent and not answered. */
  inFlight = 0
  /** When the latest answer came: the statement behind it started then. */
  lastAnswerAt = 0
  /** When it last went from idle to busy. */
  busySince = 0
  #names = 0
  #retired = false
  readonly #prepared = new Map<StatementShape, Prepared>()
  readonly #stream: WireConnection['stream']
  readonly #uncork: () => void
  #corked = false

  constructor(session: Session) {
    this.session = session
    const { stream } = session.client.connection as unknown as WireConnection
    this.#stream = stream
    this.#uncork = () => {
      this.#corked = false
      stream.uncork?.()
    }
  }

  get names(): number {
    return this.#names
  }

  get usable(): boolean {
    return !this.#retired && !this.session.dead
  }

  /** How to send a shape here: by name from its second use on, as one-off texts would fill the server with names. */
  formOf(shape: StatementShape): WireForm {
    const prepared = this.#prepared.get(shape)
    if (prepared !== undefined) return prepared.state === 'ready' ? prepared.form : unnamedForm
    if (!this.session.address.preparedStatements || shape.uses++ === 0) return unnamedForm
    // Unique on this client for ever: neither server nor pooler may find an older statement under it.
    const form = { name: `s${shape.generation}_${this.#names++}`, parse: true, reader: undefined, simple: false }
    this.#prepared.set(shape, { state: 'parsing', form })
    return form
  }

  /** Remembers what the first use of a name showed: the server need not describe the rows again. */
  keep(shape: StatementShape, form: WireForm, reader: RowReader | undefined): void {
    const prepared = this.#prepared.get(shape)
    if (prepared?.form !== form || prepared.state === 'ready') return
    prepared.state = 'ready'
    prepared.form = { name: form.name, parse: false, reader: reader ?? emptyReader, simple: false }
  }

  /** Forgets a name that failed or went stale; the next use gets a new one. */
  forget(shape: StatementShape, form: WireForm): void {
    if (this.#prepared.get(shape)?.form.name === form.name) this.#prepared.delete(shape)
  }

  /** Writes of one turn of the event loop leave in one system call: the server answers them in one batch too. */
  send(query: WireQuery): void {
    if (this.inFlight++ === 0) this.busySince = query.sentAt
    if (!this.#corked) {
      this.#corked = true
      this.#stream.cork?.()
      process.nextTick(this.#uncork)
    }
    this.session.client.query(query as unknown as Query)
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

function ignore(): void {}
