import type { Query } from 'pg'
import type { Portal, PortalChunk } from './portal.ts'
import { PortalClose } from './portal-close.ts'
import { PortalStep } from './portal-step.ts'
import { emptyReader, type RowReader, type TypeParsers } from './row-reader.ts'
import type { Session } from './session.ts'
import type { Statement } from './shard-pool.ts'

let portals = 0

/**
 * A portal in a transaction, which keeps it from one statement to the next: the session is free between two chunks. It goes
 * with the transaction, and with the savepoint behind which it was opened.
 */
export class TransactionPortal implements Portal {
  readonly #session: Session
  readonly #statement: Statement
  readonly #types: TypeParsers
  readonly #name = `shardwright_t${++portals}`
  #reader: RowReader | undefined
  #step: PortalStep | undefined
  #open = false

  constructor(session: Session, statement: Statement, types: TypeParsers) {
    this.#session = session
    this.#statement = statement
    this.#types = types
  }

  read(count: number): Promise<PortalChunk> {
    const { promise, resolve, reject } = Promise.withResolvers<PortalChunk>()
    const first = !this.#open
    const reader = first ? undefined : (this.#reader ?? emptyReader)
    const step = new PortalStep(this.#name, count, this.#statement, reader, this.#types, (_, error) => {
      this.#step = undefined
      this.#reader = step.reader ?? emptyReader
      if (error === undefined) {
        const command = step.command === '' ? 'SELECT' : step.command
        resolve({ rows: step.rowsRead, reader: this.#reader, command, last: !step.suspended })
      } else reject(error)
    })
    this.#open = true
    this.#step = step
    this.#send(step, promise)
    return promise
  }

  giveUp(reason: unknown): boolean {
    return this.#step?.giveUp(reason) ?? false
  }

  close(): Promise<void> {
    if (!this.#open) return Promise.resolve()
    this.#open = false
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#send(new PortalClose(this.#name, resolve), promise)
    return promise
  }

  #send(query: PortalStep | PortalClose, done: Promise<unknown>): void {
    const { client } = this.#session
    this.#session.running = done
    client.query(query as unknown as Query)
  }
}
