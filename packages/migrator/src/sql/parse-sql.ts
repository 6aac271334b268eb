import { hasSqlDetails, loadModule, parseSync } from 'libpg-query'

/** One statement with its text and its tree (PostgreSQL's own parser, version 18). */
export interface ParsedStatement {
  /** Without the final semicolon, comments before it included. */
  readonly text: string
  /** e.g. `IndexStmt`. */
  readonly kind: string
  readonly node: SqlNode
}

/** A node of PostgreSQL's raw parse tree, as JSON. */
export type SqlNode = { readonly [field: string]: unknown }

export interface SqlSyntaxError {
  readonly message: string
  readonly line: number
}

let loading: Promise<void> | undefined

/** Loads the parser (WASM) once; `parseSql` needs it. */
export function loadSqlParser(): Promise<void> {
  loading ??= loadModule()
  return loading
}

/** Splits and parses a script; call `loadSqlParser` first. Returns the error as a value: callers know the file. */
export function parseSql(script: string): readonly ParsedStatement[] | SqlSyntaxError {
  if (!/\S/.test(script)) return []
  try {
    const bytes = Buffer.from(script, 'utf8')
    const { stmts = [] } = parseSync(script)
    return stmts.map(({ stmt, stmt_location = 0, stmt_len = 0 }) => {
      const end = stmt_len === 0 ? bytes.length : stmt_location + stmt_len
      const [[kind, node] = ['', {}]] = Object.entries(stmt as unknown as Record<string, SqlNode>)
      const text = bytes.subarray(stmt_location, end).toString('utf8').replace(/;\s*$/, '').trim()
      return { text, kind, node }
    })
  } catch (error) {
    if (!hasSqlDetails(error)) throw error
    const position = Math.max(0, error.sqlDetails?.cursorPosition ?? 0)
    return { message: error.message, line: script.slice(0, position).split('\n').length }
  }
}

/** True when `parseSql` returned an error. */
export function isSyntaxError(result: readonly ParsedStatement[] | SqlSyntaxError): result is SqlSyntaxError {
  return !Array.isArray(result)
}
