import type { NameGeneration } from './name-generation.ts'
import { PreparedNames } from './prepared-names.ts'
import type { ServerAddress } from './server-address.ts'
import type { Session } from './session.ts'
import type { Statement } from './shard-pool.ts'
import { isChangedResult } from './stale-plan.ts'
import { simpleForm, unnamedForm, type WireForm, type WireQuery } from './wire-query.ts'

const maxNames = 256
const maxMet = 1_024
const plainWrite = /^\s*(?:insert|update|delete)\b(?![\s\S]*\breturning\b)/i
const forgetting = /\b(?:discard|deallocate)\b/i

/** Which statements of an exclusive session go by name. */
export class SessionStatements {
  readonly #names: PreparedNames<string>
  readonly #generation: NameGeneration
  #met = new Set<string>()
  readonly #distrusted = new Set<string>()

  constructor(generation: NameGeneration) {
    this.#names = new PreparedNames(generation)
    this.#generation = generation
  }

  /**
   * By name from the second use on, where a stale plan does no harm: outside a transaction and for its first statement,
   * which can be run again; inside for writes without rows, whose plans have no result type that could change.
   */
  formOf(session: Session, { sql, parameters }: Statement, isFirst: boolean): WireForm {
    if (parameters.length === 0) {
      if (forgetting.test(sql)) this.#names.clear()
      return sql.includes(';') ? simpleForm : unnamedForm
    }
    const { pooler, preparedStatements } = session.address
    if (!preparedStatements || !this.#generation.kept || this.#distrusted.has(sql)) return unnamedForm
    if (!isFirst && session.client.getTransactionStatus() !== 'I' && !plainWrite.test(sql)) return unnamedForm
    if (!this.#met.has(sql)) {
      if (this.#met.size >= maxMet) this.#met = new Set()
      this.#met.add(sql)
      return unnamedForm
    }
    if (this.#names.count >= maxNames) return unnamedForm
    const form = this.#names.formOf(sql)
    // Behind one name of such a pooler stand many sessions of the server: each may see another version of a table.
    return pooler === 'pgbouncer-transaction' ? { ...form, reader: undefined } : form
  }

  /**
   * A name turned out to be stale, or unknown, and then all are. A pooler that shares its own names among clients would
   * give the same one again.
   */
  refused({ pooler }: ServerAddress, sql: string, error: unknown): void {
    if (pooler === 'pgbouncer-transaction' && !isChangedResult(error)) this.#generation.lost()
    if (pooler !== 'direct') this.#distrusted.add(sql)
    else if (!isChangedResult(error)) this.#names.clear()
  }

  clear(): void {
    this.#names.clear()
  }

  answered(query: WireQuery, succeeded: boolean): void {
    const { form, statement } = query
    if (form.name === '') return
    if (!succeeded) this.#names.forget(statement.sql, form)
    else if (form.parse) this.#names.keep(statement.sql, form, query.reader)
  }
}
