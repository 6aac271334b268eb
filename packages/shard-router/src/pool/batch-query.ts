/// <reference path="./pg-utils.d.ts" />
import type { PgField } from '@shardwright/core'
import { prepareValue } from 'pg/lib/utils.js'
import type { Batch } from './batch.ts'
import { readCommandTag } from './command-tag.ts'
import { maxParameters, tooManyParameters } from './max-parameters.ts'
import { inOneWrite } from './one-write.ts'
import type { TypeParsers } from './row-reader.ts'
import type { Statement, StatementResult } from './shard-pool.ts'
import { sendPrefix, type WireConnection } from './wire-connection.ts'
import { type WireForm, WireQuery } from './wire-query.ts'

/** A statement with commands in front of it and behind it, all of them in one batch with one Sync at its end. */
export class BatchQuery extends WireQuery {
  readonly #batch: Batch
  /** Commands in front that are not answered yet. */
  #inFront = 0
  #answered = false
  #sent = false
  #synced = false
  #command = ''
  #row: readonly (string | null)[] | undefined

  constructor(
    statement: Statement,
    form: WireForm,
    types: TypeParsers,
    settled: (query: WireQuery, error: unknown) => void,
    batch: Batch,
  ) {
    super(statement, form, types, settled)
    this.#batch = batch
  }

  protected override get syncIsSent(): boolean {
    return this.#synced
  }

  override result(server: string): StatementResult {
    const result = super.result(server)
    return this.#command === '' ? result : { ...result, behind: { command: this.#command, row: this.#row } }
  }

  override submit(connection: WireConnection): Error | null {
    const { sql, parameters } = this.statement
    if (parameters.length > maxParameters) return tooManyParameters(parameters.length)
    const { name, parse } = this.form
    const { behind, onBegun } = this.#batch
    try {
      // Bound before the prefix is taken: nothing may fail after that.
      const values = parameters.map(prepareValue)
      const front = this.takePrefix?.()
      inOneWrite(connection, (wire) => {
        if (front !== undefined) {
          this.#inFront = sendPrefix(wire, front)
          // The answer to these alone, before the statement's.
          if (onBegun !== undefined) wire.flush()
        }
        if (parse) wire.parse({ text: sql, name })
        wire.bind({ statement: name, values, valueMapper: (value) => value })
        if (this.reader === undefined) wire.describe({ type: 'P', name: '' })
        wire.execute({})
        const commands = behind?.()
        if (commands instanceof Promise) void commands.then((known) => this.#endLater(connection, known))
        else this.#end(wire, commands)
      })
      this.#sent = true
      if (front === undefined) onBegun?.()
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error))
    }
    return null
  }

  override handleRowDescription(message: { readonly fields: readonly PgField[] }): void {
    if (this.#inFront === 0 && !this.#answered) super.handleRowDescription(message)
  }

  override handleDataRow(message: { readonly fields: (string | null)[] }): void {
    if (this.#answered) this.#row = message.fields
    else if (this.#inFront === 0) super.handleDataRow(message)
  }

  override handleCommandComplete(message: { readonly text: string }): void {
    if (this.#inFront > 0) {
      if (--this.#inFront === 0) this.#batch.onBegun?.()
    } else if (this.#answered) {
      this.#command = readCommandTag(message.text).command
    } else {
      this.#answered = true
      super.handleCommandComplete(message)
      this.#batch.onAnswered?.()
    }
  }

  override handleError(error: unknown, connection?: WireConnection): void {
    // The server skips everything up to Sync; a second one would end the statement behind this.
    if (this.#sent && !this.#synced && !this.over) {
      this.#synced = true
      connection?.sync()
    }
    super.handleError(error)
  }

  #endLater(connection: WireConnection, commands: string | undefined): void {
    if (!this.#synced && !this.over) inOneWrite(connection, (wire) => this.#end(wire, commands))
  }

  #end(wire: WireConnection, commands: string | undefined): void {
    this.#synced = true
    if (commands !== undefined) sendPrefix(wire, commands)
    wire.sync()
  }
}
