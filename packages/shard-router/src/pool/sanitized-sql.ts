import { replaceQuoted } from './sql-outline.ts'

const maxLength = 2_000
// A number that is no part of a name and no parameter.
const number = /(?<![\w$.])(?:0[xob][\da-f_]+|(?:\d[\d_]*\.?\d*|\.\d+)(?:e[+-]?\d+)?)(?![\w$])/gi
// What never ends is a value up to the end.
const unended = /(?:'|(?<![\w$])\$(?:[A-Za-z_]\w*)?\$)[\s\S]*$/

/** A statement's text with `?` in place of every value that is written into it, without comments, at most 2,000 characters. */
export function sanitizedSql(sql: string): string {
  const text = withoutValues(sql)
  return text.length > maxLength ? `${text.slice(0, maxLength)}...` : text
}

/** The same in full length. */
export function withoutValues(sql: string): string {
  return replaceQuoted(
    sql,
    (quoted) => (quoted.startsWith('"') ? quoted : '?'),
    (plain) => plain.replace(unended, '?').replace(number, '?'),
  ).trim()
}
