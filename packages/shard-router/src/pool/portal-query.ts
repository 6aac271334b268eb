/// <reference path="./pg-utils.d.ts" />
import type { PgField } from '@shardwright/core'
import type { Client, Query } from 'pg'
import { prepareValue } from 'pg/lib/utils.js'
import { readCommandTag } from './command-tag.ts'
import { maxParameters, tooManyParameters } from './max-parameters.ts'
import type { Portal, PortalChunk } from './portal.ts'
import { createRowReader, emptyReader, type TypeParsers } from './row-reader.ts'
import type { Statement } from './shard-pool.ts'
import type { WireConnection } from './wire-connection.ts'

let portals = 0

/**
 * A statement in pg's queue whose portal is read some rows at a time, outside a transaction: a Sync would end it, so the
 * session is its own until it is closed. pg-cursor copies each row, emits an event for it, and
 * asks for the first rows only when it has their description; for a merge that reads text this is a third of the time.
 */
export class PortalQuery implements Portal {
  /** pg sets it when absent; answers go to `read`. */
  readonly callback = ignore
  readonly #client: Client
  readonly #statement: Statement
  readonly #values: readonly unknown[]
  readonly #types: TypeParsers
  readonly #asText: boolean
  readonly #portal = `shardwright_${++portals}`
  #reader = emptyReader
  #rows: unknown[] = []
  #command = 'SELECT'
  #count = 0
  #connection: WireConnection | undefined
  #chunk: PromiseWithResolvers<PortalChunk> | undefined
  #ended: PromiseWithResolvers<void> | undefined
  #failure: unknown
  #queued = false
  #synced = false
  #over = false

  constructor(client: Client, statement: Statement, types: TypeParsers) {
    this.#client = client
    this.#statement = statement
    this.#values = statement.parameters.map(prepareValue)
    this.#types = types
    this.#asText = statement.rows === 'text'
  }

  read(count: number): Promise<PortalChunk> {
    // Lost between two chunks.
    if (this.#over) return Promise.reject(this.#failure)
    this.#count = count
    this.#chunk = Promise.withResolvers()
    const { promise } = this.#chunk
    if (this.#connection !== undefined) this.#execute(this.#connection)
    else if (!this.#queued) {
      this.#queued = true
      this.#client.query(this as unknown as Query)
    }
    return promise
  }

  /** The session is its own: nothing is in front of it. */
  giveUp(): boolean {
    return false
  }

  close(): Promise<void> {
    const connection = this.#connection
    if (this.#over || connection === undefined) return Promise.resolve()
    this.#ended ??= Promise.withResolvers()
    if (!this.#synced) this.#end(connection)
    return this.#ended.promise
  }

  submit(connection: WireConnection): Error | null {
    if (this.#values.length > maxParameters) return tooManyParameters(this.#values.length)
    this.#connection = connection
    const portal = this.#portal
    connection.stream.cork?.()
    connection.parse({ text: this.#statement.sql, name: '' })
    connection.bind({ portal, values: this.#values, valueMapper: same })
    connection.describe({ type: 'P', name: portal })
    this.#execute(connection)
    connection.stream.uncork?.()
    return null
  }

  handleRowDescription(message: { readonly fields: readonly PgField[] }): void {
    this.#reader = createRowReader(message.fields, this.#types)
  }

  handleDataRow(message: { readonly fields: (string | null)[] }): void {
    if (this.#asText) this.#rows.push(message.fields)
    else if (this.#failure === undefined) {
      try {
        this.#rows.push(this.#reader.readObject(message.fields))
      } catch (error) {
        this.#failure = error
      }
    }
  }

  handlePortalSuspended(): void {
    this.#answer(false)
  }

  handleCommandComplete(message: { readonly text: string }, connection: WireConnection): void {
    this.#command = readCommandTag(message.text).command
    this.#end(connection)
  }

  handleEmptyQuery(connection: WireConnection): void {
    this.#end(connection)
  }

  handleCopyInResponse(connection: WireConnection): void {
    connection.sendCopyFail('COPY cannot be read as a stream')
  }

  handleCopyData(): void {}

  handleReadyForQuery(): void {
    this.#over = true
    this.#answer(true)
    this.#ended?.resolve()
  }

  handleError(error: unknown, connection: WireConnection): void {
    if (this.#over) return
    this.#over = true
    this.#failure ??= error
    // The server skips everything up to Sync; a second one would end the statement behind this.
    if (!this.#synced && this.#connection !== undefined) connection.sync()
    this.#answer(true)
    this.#ended?.resolve()
  }

  #execute(connection: WireConnection): void {
    connection.stream.cork?.()
    connection.execute({ portal: this.#portal, rows: this.#count })
    connection.flush()
    connection.stream.uncork?.()
  }

  #end(connection: WireConnection): void {
    this.#synced = true
    connection.stream.cork?.()
    connection.close({ type: 'P', name: this.#portal })
    connection.sync()
    connection.stream.uncork?.()
  }

  #answer(last: boolean): void {
    const chunk = this.#chunk
    if (chunk === undefined) return
    this.#chunk = undefined
    const rows = this.#rows
    this.#rows = []
    if (this.#failure === undefined) chunk.resolve({ rows, reader: this.#reader, command: this.#command, last })
    else chunk.reject(this.#failure)
  }
}

function ignore(): void {}

function same(value: unknown): unknown {
  return value
}
