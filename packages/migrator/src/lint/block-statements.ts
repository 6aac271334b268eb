import { parsePlPgSQLSync } from 'libpg-query'
import { isSyntaxError, type ParsedStatement, parseSql, type SqlNode } from '../sql/parse-sql.ts'
import { findNodes } from './lint-context.ts'

/** What a DO block would run, as far as its text tells. */
export interface BlockStatements {
  readonly statements: readonly ParsedStatement[]
  /** Why a part of it cannot be known; undefined when all of it is. */
  readonly hidden: string | undefined
}

/** The statements within a DO block of PL/pgSQL, those of EXECUTE with a constant text too. */
export function blockStatements(node: SqlNode): BlockStatements {
  const { body, language } = optionsOf(node)
  if (language !== 'plpgsql') return { statements: [], hidden: `a block in ${language}` }
  let tree: unknown
  try {
    tree = parsePlPgSQLSync(`create function f() returns void language plpgsql as ${dollarQuoted(body)}`)
  } catch (error) {
    return { statements: [], hidden: error instanceof Error ? error.message : String(error) }
  }
  const dynamic = [...findNodes(tree, 'PLpgSQL_stmt_dynexecute'), ...findNodes(tree, 'PLpgSQL_stmt_dynfors')]
  const executed = dynamic.map((statement) => constantText(queryOf(statement.query)))
  const written = findNodes(tree, 'PLpgSQL_stmt_execsql').map((statement) => queryOf(statement.sqlstmt))
  const read = [...written, ...executed.filter((text) => text !== undefined)].map((text) => parseSql(text))
  const statements = read.flatMap((result) => (isSyntaxError(result) ? [] : result))
  if (executed.includes(undefined)) return { statements, hidden: 'EXECUTE of a text that is computed' }
  return { statements, hidden: read.find(isSyntaxError)?.message }
}

function optionsOf(node: SqlNode): { readonly body: string; readonly language: string } {
  const options = (node.args ?? []) as readonly {
    DefElem?: { defname?: string; arg?: { String?: { sval?: string } } }
  }[]
  const option = (name: string) => options.find((entry) => entry.DefElem?.defname === name)?.DefElem?.arg?.String?.sval
  return { body: option('as') ?? '', language: option('language') ?? 'plpgsql' }
}

function dollarQuoted(text: string): string {
  let tag = '$block$'
  while (text.includes(tag)) tag = `$x${tag.slice(1)}`
  return `${tag}${text}${tag}`
}

function queryOf(expression: unknown): string {
  return (expression as { PLpgSQL_expr?: { query?: string } } | undefined)?.PLpgSQL_expr?.query ?? ''
}

/** The text that an expression is, when it is nothing but a literal. */
function constantText(expression: string): string | undefined {
  const parsed = parseSql(`select ${expression}`)
  const select = isSyntaxError(parsed) ? undefined : parsed[0]?.node
  const [target] = (select?.targetList ?? []) as readonly {
    ResTarget?: { val?: { A_Const?: { sval?: { sval?: string } } } }
  }[]
  return target?.ResTarget?.val?.A_Const?.sval?.sval
}
