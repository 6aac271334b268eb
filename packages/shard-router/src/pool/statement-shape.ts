import { type RowReader, readsAlike } from './row-reader.ts'
import { leftBehind } from './session-effect.ts'
import { StatementPace } from './statement-pace.ts'

/** What is known of one SQL text on one server. */
export class StatementShape {
  readonly sql: string
  /** True when nothing in the text needs a session of its own. */
  readonly pipelinable: boolean
  readonly pace: StatementPace
  uses = 0
  /** Travels behind other statements: how long it takes says nothing of what is usual. */
  accompanies = false
  #reader: RowReader | undefined

  constructor(sql: string) {
    this.sql = sql
    this.pipelinable = isPipelinable(sql)
    // What looks like a point statement is tried on the pipelined lane at once; anything else is measured elsewhere first.
    this.pace = new StatementPace(isLight(sql))
  }

  /** The reader that all clients of the server keep for this shape: thousands of shapes are on several clients each. */
  sharedReader(reader: RowReader | undefined): RowReader | undefined {
    if (reader === undefined) return undefined
    if (this.#reader === undefined || !readsAlike(this.#reader, reader)) this.#reader = reader
    return this.#reader
  }
}

// One statement that reads or changes rows. SET, BEGIN, LISTEN, COPY, DDL and scripts need a session.
const oneStatement = /^\s*(?:select|insert|update|delete|with|values|merge|\()/i
// State of the session, or a wait that may be long on purpose.
const needsSession =
  /;|\b(?:set_config|setseed|currval|lastval|pg_advisory\w*|pg_try_advisory\w*|pg_sleep\w*|pg_temp\w*|pg_export_snapshot|pg_notify|dblink\w*|lo_\w+)\b|\binto\s+(?:temp|unlogged|table)\b/i

function isPipelinable(sql: string): boolean {
  return oneStatement.test(sql) && !needsSession.test(sql) && leftBehind(sql, []) === undefined
}

const heavyWord =
  /\b(?:join|group\s+by|having|distinct|union|intersect|except|with|over|lateral|from\s+\(|exists|merge|copy|recursive)\b/i
// A call of a function; lists after IN, VALUES, AS, INTO and column lists of INSERT are none.
const call =
  /\b(?!(?:in|values|as|any|and|or|not|conflict|by|on|returning|where|set|from|limit|offset)\b)[a-z_]\w*\s*\(/i

function isLight(sql: string): boolean {
  if (heavyWord.test(sql)) return false
  if (/^\s*insert\b/i.test(sql)) return !/\bselect\b/i.test(sql)
  return /\bwhere\b/i.test(sql) && !call.test(sql)
}
