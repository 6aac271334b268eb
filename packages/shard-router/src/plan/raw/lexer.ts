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

const patterns: readonly [Token['kind'] | 'space' | 'refused', RegExp][] = [
  ['space', /\s+/y],
  // A comment, without another one or a value in it.
  ['space', /\/\*(?:[^*/\0]|\*(?!\/)|\/(?!\*))*\*\//y],
  // One that ends with its line.
  ['space', /--[^\r\n\0]*[\r\n]/y],
  // What a backslash means is certain in E'' alone.
  ['string', /[eE]'(?:[^'\\\0]|''|\\[^\0])*'/y],
  ['string', /\$(?<tag>(?:[A-Za-z_][A-Za-z0-9_]*)?)\$[^\0]*?\$\k<tag>\$/y],
  ['refused', /[uU]&["']|--|\/\*|\$[A-Za-z_]*\$|\\|;/y],
  ['parameter', /\0|\$\d+/y],
  ['string', /'(?:[^'\\]|'')*'/y],
  ['quoted', /"(?:[^"]|"")+"/y],
  ['number', /\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?/y],
  ['word', /[A-Za-z_\u0080-\uffff][A-Za-z0-9_$\u0080-\uffff]*/y],
  ['symbol', /::|[()[\],.:]|[-+*/<>=~!@#%^&|`?]+/y],
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

function matchAt(text: string, position: number) {
  for (const [kind, pattern] of patterns) {
    pattern.lastIndex = position
    const match = pattern.exec(text)
    if (match) return { kind, text: match[0] }
  }
  return undefined
}

function normalize(kind: Token['kind'], text: string): string {
  if (kind === 'word') return text.toLowerCase()
  if (kind === 'quoted') return text.slice(1, -1).replaceAll('""', '"')
  return text
}
