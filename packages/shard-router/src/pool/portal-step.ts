/// <reference path="./pg-utils.d.ts" />
import { prepareValue } from 'pg/lib/utils.js'
import { maxParameters, tooManyParameters } from './max-parameters.ts'
import { inOneWrite } from './one-write.ts'
import type { RowReader, TypeParsers } from './row-reader.ts'
import type { Statement } from './shard-pool.ts'
import type { WireConnection } from './wire-connection.ts'
import { unnamedForm, WireQuery } from './wire-query.ts'

/** One Execute of a named portal with a Sync of its own: between two of them the session is free for other statements. */
export class PortalStep extends WireQuery {
  readonly #portal: string
  readonly #count: number
  /** True when there may be more rows. */
  suspended = false
  #sent = false
  #givenUp: { readonly reason: unknown } | undefined

  /** Without a reader it is the first step, which makes the portal. */
  constructor(
    portal: string,
    count: number,
    statement: Statement,
    reader: RowReader | undefined,
    types: TypeParsers,
    settled: (query: WireQuery, error: unknown) => void,
  ) {
    super(statement, { ...unnamedForm, parse: reader === undefined, reader }, types, settled)
    this.#portal = portal
    this.#count = count
  }

  giveUp(reason: unknown): boolean {
    if (this.#sent) return false
    this.#givenUp ??= { reason }
    return true
  }

  override submit(connection: WireConnection): Error | null {
    if (this.#givenUp !== undefined) return asError(this.#givenUp.reason)
    this.#sent = true
    const { sql, parameters } = this.statement
    if (parameters.length > maxParameters) return tooManyParameters(parameters.length)
    const portal = this.#portal
    try {
      inOneWrite(connection, (wire) => {
        if (this.form.parse) {
          wire.parse({ text: sql, name: '' })
          wire.bind({ portal, values: parameters, valueMapper: prepareValue })
          wire.describe({ type: 'P', name: portal })
        }
        wire.execute({ portal, rows: this.#count })
        wire.sync()
      })
    } catch (error) {
      return asError(error)
    }
    return null
  }

  override handlePortalSuspended(): void {
    this.suspended = true
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason))
}
