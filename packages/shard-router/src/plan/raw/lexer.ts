/** A token of a raw SQL fragment. `depth` counts the parentheses around it. */
export interface Token {
  readonly kind: 'word' | 'quoted' | 'string' | 'number' | 'symbol' | 'parameter'
  /** Words in lower case; quoted identifiers unquoted; else as written. */
  readonly text: string
  readonly start: number
  readonly end: number
  readonly depth: number
}

/** The place of an interpolated node in the text given to the lexer. */
export const placeholder = '\u0000'

// No pattern reaches over a placeholder: inside of quotes and comments PostgreSQL sees no parameter.
const patterns: readonly [Token['kind'] | 'space' | 'refused', RegExp][] = [
  ['space', /\s+/y],
  // A comment that ends with its line.
  ['space', /--[^\r\n\0]*[\r\n]/y],
  // What a backslash before a quote means is certain in E'' alone.
  ['string', /[eE]'(?:[^'\\\0]|''|\\[^\0])*'/y],
  ['string', /(?:[bBxXnN](?='))?'(?:[^'\\\0]|''|\\\\|\\[^'\\\0])*'/y],
  ['string', /\$(?<tag>(?:[A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)?)\$[^\0]*?\$\k<tag>\$/y],
  // A number of a parameter is the whole statement's, which is not the one that is sent.
  ['refused', /[uU]&["']|--|\/\*|\$|\\|;/y],
  ['parameter', /\0/y],
  ['quoted', /"(?:[^"\0]|"")+"/y],
  ['number', /0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?/y],
  ['word', /[A-Za-z_\u0080-\uffff][A-Za-z0-9_$\u0080-\uffff]*/y],
  // An operator ends where a comment begins.
  ['symbol', /::|[()[\],.:]|(?:(?!--|\/\*)[-+*/<>=~!@#%^&|`?])+/y],
]

/**
 * Splits a raw fragment into tokens, or gives `undefined` when it is not one closed piece of SQL: comments and quotes
 * left open, several statements, backslashes outside E'', or parentheses that do not match.
 */
export function tokenize(text: string): readonly Token[] | undefined {
  const tokens: Token[] = []
  const open: string[] = []
  let position = 0
  while (position < text.length) {
    const match = matchAt(text, position)
    if (match === undefined || match.kind === 'refused') return undefined
    const end = position + match.text.length
    if (match.kind !== 'space') {
      if (match.text === ')' || match.text === ']') {
        if (open.pop() !== (match.text === ')' ? '(' : '[')) return undefined
      }
      tokens.push({
        kind: match.kind,
        text: normalize(match.kind, match.text),
        start: position,
        end,
        depth: open.length,
      })
      if (match.text === '(' || match.text === '[') open.push(match.text)
    }
    position = end
  }
  return open.length === 0 ? tokens : undefined
}

/** Where a text ends for one who reads on: before a line comment that is not ended, or a semicolon that nothing follows. */
export function endOfText(text: string): number {
  let position = 0
  while (position < text.length) {
    const match = matchAt(text, position)
    if (match === undefined) return text.length
    if (match.kind === 'refused') return isEnding(text, position) ? position : text.length
    position += match.text.length
  }
  return text.length
}

function isEnding(text: string, position: number): boolean {
  const rest = text.slice(text[position] === ';' ? position + 1 : position)
  return tokenize(`${rest}\n`)?.length === 0
}

function matchAt(text: string, position: number) {
  const comment = commentAt(text, position)
  if (comment !== undefined) return { kind: 'space' as const, text: comment }
  for (const [kind, pattern] of patterns) {
    pattern.lastIndex = position
    const match = pattern.exec(text)
    if (match) return { kind, text: match[0] }
  }
  return undefined
}

/** A comment with the comments in it; `undefined` where there is none that is closed. */
function commentAt(text: string, position: number): string | undefined {
  if (!text.startsWith('/*', position)) return undefined
  const marks = /\/\*|\*\/|\0/g
  marks.lastIndex = position
  let open = 0
  for (let mark = marks.exec(text); mark && mark[0] !== placeholder; mark = marks.exec(text)) {
    open += mark[0] === '/*' ? 1 : -1
    if (open === 0) return text.slice(position, marks.lastIndex)
  }
  return undefined
}

function normalize(kind: Token['kind'], text: string): string {
  if (kind === 'word') return text.toLowerCase()
  if (kind === 'quoted') return text.slice(1, -1).replaceAll('""', '"')
  return text
}
