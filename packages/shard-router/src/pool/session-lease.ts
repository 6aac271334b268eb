import type { PgClient } from '@shardwright/core'
import type { Batch } from './batch.ts'
import { inCallContext } from './call-context.ts'
import { streamOnSession } from './cursor-stream.ts'
import { measuredStream } from './measured-stream.ts'
import { poolError } from './pool-error.ts'
import { runMeasured } from './run-measured.ts'
import type { ServerContext } from './server-context.ts'
import type { Session } from './session.ts'
import type { SessionPool } from './session-pool.ts'
import type { Lease, RunOptions, Statement, StatementResult } from './shard-pool.ts'
import type { StatementTelemetry } from './statement-telemetry.ts'
import { cancelStatement, destroySocket, killSession } from './stop-statement.ts'

// BEGIN, and behind it SET LOCAL, whose values hold no semicolon, and a question that no row answers.
const beginForm =
  /^\s*(?:begin|start\s+transaction)\b[^;]*(?:;\s*set\s+local\s[^;]*)*(?:;\s*select\s+1\s+where\s[^;]*\bis\s+null)?$/i

// BEGIN waits for the statement behind it and travels with it: a round trip less for every transaction.
const begun: StatementResult = Object.freeze({
  command: 'BEGIN',
  rowCount: 0,
  rows: Object.freeze([]),
  fields: Object.freeze([]),
  server: '',
})

/** A session lent to one caller. Statements given while one runs wait for it, as on a pg client. */
export class SessionLease implements Lease {
  readonly shard: number
  readonly #context: ServerContext
  readonly #pool: SessionPool
  readonly #session: Session
  readonly #telemetry: StatementTelemetry | undefined
  #released = false
  /** Open outside a transaction: the session's only statement until its end. */
  #streaming = false

  constructor(
    shard: number,
    context: ServerContext,
    pool: SessionPool,
    session: Session,
    telemetry: StatementTelemetry | undefined,
  ) {
    this.#telemetry = telemetry
    this.shard = shard
    this.#context = context
    this.#pool = pool
    this.#session = session
  }

  get client(): PgClient {
    this.#checkHeld()
    this.#sendBegin()
    // What is done with it is not seen here: names may be gone afterwards, and anything left behind.
    this.#session.statements.clear()
    this.#session.leave('state')
    this.#resetTimeout()
    return this.#session.client as unknown as PgClient
  }

  get processId(): number {
    return this.#session.processId
  }

  get session(): object {
    return this.#session
  }

  get takesBatches(): boolean {
    return this.#session.address.pooler === 'direct'
  }

  execute(statement: Statement, given?: RunOptions, batch?: Batch): Promise<StatementResult> {
    this.#checkFree()
    const options = inCallContext(given)
    if (this.#mayWait(statement.sql)) {
      this.#session.pendingBegin = statement.sql
      return Promise.resolve(begun)
    }
    return runMeasured(this.#context, this.#session, statement, options, 'lease', this.#telemetry, batch)
  }

  stream(statement: Statement, chunkSize: number, options?: RunOptions): AsyncIterableIterator<StatementResult> {
    this.#checkFree()
    const { pendingBegin, client } = this.#session
    const inTransaction = pendingBegin !== undefined || client.getTransactionStatus() !== 'I'
    this.#sendBegin()
    const holder = { inTransaction, released: () => this.#released }
    const given = inCallContext(options)
    const read = streamOnSession(this.#context, this.#session, statement, chunkSize, holder, given)
    const chunks = this.#telemetry ? measuredStream(this.#context, statement, read, this.#telemetry) : read
    return inTransaction ? chunks : this.#alone(chunks)
  }

  async *#alone(chunks: AsyncGenerator<StatementResult>): AsyncGenerator<StatementResult, void, undefined> {
    this.#streaming = true
    try {
      yield* chunks
    } finally {
      this.#streaming = false
    }
  }

  cancel(): Promise<void> {
    const cancelled = cancelStatement(this.#session)
    // It must not hit the next holder's statement.
    this.#session.stopping(cancelled)
    return cancelled
  }

  async kill(): Promise<void> {
    this.#session.markDead()
    await killSession(this.#context, this.#session)
  }

  release(): Promise<void> | undefined {
    if (this.#released) return undefined
    this.#released = true
    this.#session.pendingBegin = undefined
    // A SET inside a rolled back transaction is undone by the server: what the timeout is now is not known.
    if (this.#session.statementTimeoutMs !== 0) this.#session.statementTimeoutMs = undefined
    const { left, altered, working } = this.#session
    const release = () => this.#pool.releaseClean(this.#session)
    const released = this.#session.free.then(release, release)
    // What an abandoned statement may still leave is nothing to wait for.
    return (left !== undefined || altered) && !working ? released : undefined
  }

  destroy(): void {
    if (this.#released) return
    this.#released = true
    destroySocket(this.#session)
    this.#pool.destroy(this.#session)
  }

  // A second BEGIN only warns on the server; it is sent as it is.
  #mayWait(sql: string): boolean {
    const { pendingBegin, client } = this.#session
    return pendingBegin === undefined && client.getTransactionStatus() === 'I' && beginForm.test(sql)
  }

  // pg keeps the order of what is queued on a client. BEGIN itself fails only with the connection, which the statement
  // behind it then tells.
  #sendBegin(): void {
    const begin = this.#session.pendingBegin
    if (begin === undefined) return
    this.#session.pendingBegin = undefined
    this.#session.running = this.#session.client.query(begin).catch(ignore)
  }

  // What statements set for their deadlines is not for what is done with the client itself.
  #resetTimeout(): void {
    const { client, statementTimeoutMs } = this.#session
    if (statementTimeoutMs === 0) return
    this.#session.statementTimeoutMs = 0
    client.query('reset statement_timeout').catch(ignore)
  }

  #checkFree(): void {
    this.#checkHeld()
    if (!this.#streaming) return
    const { shard } = this.#context
    throw poolError('STREAM_OPEN', `A stream is open on this session of shard ${shard}, outside a transaction.`, {
      shard,
    })
  }

  #checkHeld(): void {
    if (this.#released)
      throw poolError('LEASE_RELEASED', 'The lease was already given back.', {
        shard: this.#context.shard,
      })
  }
}

function ignore(): void {}
