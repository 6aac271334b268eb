/// <reference path="./pg-utils.d.ts" />
import type { PgField } from '@shardwright/core'
import { Query } from 'pg'
import { prepareValue } from 'pg/lib/utils.js'
import { readCommandTag } from './command-tag.ts'
import { factTypes } from './fact-types.ts'
import { maxParameters, tooManyParameters } from './max-parameters.ts'
import { inOneWrite } from './one-write.ts'
import { poolError } from './pool-error.ts'
import { createRowReader, emptyFields, type RowReader, type TypeParsers } from './row-reader.ts'
import type { Statement, StatementResult } from './shard-pool.ts'
import { sendExecuteAndSync, sendPrefix, type WireConnection } from './wire-connection.ts'

/** How one statement is sent. `simple`: by the simple protocol, for scripts of several statements. */
export interface WireForm {
  /** '' for the unnamed statement. */
  readonly name: string
  readonly parse: boolean
  /** The reader of an earlier run of the same name: the server need not describe the rows again. */
  readonly reader: RowReader | undefined
  readonly simple: boolean
}

export const unnamedForm: WireForm = Object.freeze({ name: '', parse: true, reader: undefined, simple: false })
export const simpleForm: WireForm = Object.freeze({ name: '', parse: true, reader: undefined, simple: true })

type Settled = (query: WireQuery, error: unknown) => void

/**
 * A statement in pg's queue that reads rows straight into what the router wants. pg's own Query emits an event for each
 * row, clones its config and describes every time; at a point read that is half of the time.
 *
 * pg refuses foreign query classes on a pipelined client by `instanceof Query`, because portals kept open there would mix
 * answers up. This one keeps none open, so its prototype (below) says that it is a Query; it does not run Query's constructor.
 */
export class WireQuery {
  readonly statement: Statement
  readonly form: WireForm
  readonly #types: TypeParsers
  readonly #settled: Settled
  readonly #asText: boolean
  readonly #keepRows: number
  reader: RowReader | undefined
  rowsRead: unknown[] = []
  command = ''
  rowCount = 0
  /**
   * Gives the command that travels in front of this statement (BEGIN: one round trip for both). Asked when nothing can
   * fail any more on this side, so that it is either sent with the statement or still waits.
   */
  takePrefix: (() => string | undefined) | undefined = undefined
  /** Monotonic milliseconds, kept by the lane. */
  sentAt = 0
  #failure: unknown
  #over = false
  /** pg sets it when absent; answers go to `settled`. */
  readonly callback = ignore

  constructor(statement: Statement, form: WireForm, types: TypeParsers, settled: Settled) {
    this.statement = statement
    this.form = form
    this.#types = statement.rows === 'facts' ? factTypes : types
    this.#settled = settled
    this.#asText = statement.rows === 'text'
    this.#keepRows = statement.keepRows ?? Number.POSITIVE_INFINITY
    this.reader = form.reader
  }

  /** True when the Sync that ends the statement is on its way. */
  protected get syncIsSent(): boolean {
    return !this.form.simple
  }

  /** True once the answer was given; pg may still report the end of a connection to it. */
  get over(): boolean {
    return this.#over
  }

  result(server: string): StatementResult {
    return {
      command: this.command,
      rowCount: this.rowCount,
      rows: this.rowsRead,
      fields: this.reader?.fields ?? emptyFields,
      server,
    }
  }

  submit(connection: WireConnection): Error | null {
    const { sql, parameters } = this.statement
    if (parameters.length > maxParameters) return tooManyParameters(parameters.length)
    if (this.form.simple) {
      const prefix = this.takePrefix?.()
      connection.query(prefix === undefined ? sql : `${prefix};${sql}`)
      return null
    }
    const { name, parse } = this.form
    try {
      // Bound before the prefix is taken: nothing may fail after that.
      const early = this.takePrefix !== undefined
      const values = early ? parameters.map(prepareValue) : parameters
      const prefix = this.takePrefix?.()
      inOneWrite(connection, (wire) => {
        if (prefix !== undefined) sendPrefix(wire, prefix)
        if (parse) wire.parse({ text: sql, name })
        wire.bind({ statement: name, values, valueMapper: early ? same : prepareValue })
        if (this.reader === undefined) wire.describe({ type: 'P', name: '' })
        sendExecuteAndSync(wire)
      })
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error))
    }
    return null
  }

  handleRowDescription(message: { readonly fields: readonly PgField[] }): void {
    this.reader = createRowReader(message.fields, this.#types)
    // A script's last result is the one that counts.
    this.rowsRead = []
  }

  handleDataRow(message: { readonly fields: (string | null)[] }): void {
    if (this.#failure !== undefined) return
    if (this.#asText) {
      if (this.rowsRead.length < this.#keepRows) this.rowsRead.push(message.fields)
      return
    }
    try {
      this.rowsRead.push(this.reader!.readObject(message.fields))
    } catch (error) {
      this.#failure = error
    }
  }

  handleCommandComplete(message: { readonly text: string }): void {
    const tag = readCommandTag(message.text)
    this.command = tag.command
    this.rowCount = tag.rowCount
  }

  handleEmptyQuery(): void {}

  handlePortalSuspended(): void {}

  handleCopyInResponse(connection: WireConnection): void {
    this.#failure ??= copyError()
    connection.sendCopyFail('COPY needs a client of its own')
    // The server takes no notice of the Sync that came while it waited for rows, and skips everything up to the next one.
    if (this.syncIsSent) connection.sync()
  }

  handleCopyData(): void {
    this.#failure ??= copyError()
  }

  // Only now is an autocommit statement committed: a deferred constraint fails after its CommandComplete.
  handleReadyForQuery(): void {
    this.#settle(this.#failure)
  }

  handleError(error: unknown): void {
    this.#settle(this.#failure ?? error)
  }

  #settle(error: unknown): void {
    if (this.#over) return
    this.#over = true
    this.#settled(this, error)
  }
}

Object.setPrototypeOf(WireQuery.prototype, Query.prototype)

function copyError(): Error {
  return poolError('COPY_NEEDS_CLIENT', 'COPY from stdin or to stdout cannot be run as a statement.')
}

function ignore(): void {}

function same(value: unknown): unknown {
  return value
}
