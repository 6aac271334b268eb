import type { OperationNode, RawNode } from 'kysely'
import { placeholder, type Token, tokenize } from './lexer.ts'
import { expressionWords, notCalls, subqueryWords, typeWords } from './words.ts'

/** What the planner understood of a raw fragment; parsed once per text. */
export interface RawFragment {
  /** False: the text is no closed expression, or has a subquery. Nothing may be concluded, and nothing sent. */
  readonly closed: boolean
  /** True when an operator that binds weaker than AND, or AND itself, stands outside parentheses. */
  readonly loose: boolean
  /** Names followed by `(`, in lower case, without their schema. */
  readonly functions: readonly string[]
  /** True for `over (...)`. */
  readonly windowed: boolean
  /** Words that may name columns (not followed by `(`, no keyword, no type name after `::`). */
  readonly names: readonly Token[]
  readonly tokens: readonly Token[]
}

const known = new Map<string, RawFragment>()
const knownLimit = 2000

/** @returns what is known of the fragment; cached by its text. */
export function understandRaw(node: RawNode): RawFragment {
  const text = node.sqlFragments.join(placeholder)
  const cached = known.get(text)
  if (cached) return cached
  const fragment = parse(text)
  if (known.size >= knownLimit) known.clear()
  known.set(text, fragment)
  return fragment
}

/** `sql.ref('x')`, `sql.table('t')`, `sql\`${x}\``: a raw node that only wraps another one. */
export function unwrapRaw(node: OperationNode): OperationNode {
  let current = node
  while (current.kind === 'RawNode') {
    const raw = current as RawNode
    const [only] = raw.parameters
    if (raw.parameters.length !== 1 || only === undefined) return current
    if (!raw.sqlFragments.every(isBlank)) return current
    current = only
  }
  return current
}

/** White space and comments. */
function isBlank(text: string): boolean {
  return text.trim() === '' || (text.includes('/*') && tokenize(text)?.length === 0)
}

function parse(text: string): RawFragment {
  const tokens = tokenize(text)
  if (tokens === undefined) return opaque
  if (tokens.length === 0) return text.trim() === '' ? opaque : comment
  const words = tokens.filter((token) => token.kind === 'word')
  const subquery = words.some(
    (word) =>
      subqueryWords.has(word.text) &&
      !isExtractFrom(tokens, word) &&
      !isValuesList(tokens, word) &&
      !isSuffixWith(tokens, word),
  )
  if (subquery || !isBalanced(tokens)) return opaque
  return Object.freeze({
    closed: true,
    loose: tokens.some((token) => token.depth === 0 && token.kind === 'word' && isLoose(tokens, token)),
    functions: Object.freeze(calledFunctions(tokens)),
    windowed: words.some((word) => word.text === 'over'),
    names: Object.freeze(columnNames(tokens)),
    tokens: Object.freeze(tokens),
  })
}

/** Nothing but a comment: it may stand anywhere. */
const comment: RawFragment = Object.freeze({
  closed: true,
  loose: false,
  functions: [],
  windowed: false,
  names: [],
  tokens: [],
})

export function isComment(node: OperationNode): boolean {
  return node.kind === 'RawNode' && understandRaw(node as RawNode) === comment
}

const opaque: RawFragment = Object.freeze({
  closed: false,
  loose: true,
  functions: [],
  windowed: false,
  names: [],
  tokens: [],
})

/** `(values (1, 'a'), ...)`, and nothing else: rows of expressions, as closed as these are. */
export function isValuesList(tokens: readonly Token[], word = tokens[1]): boolean {
  return word !== undefined && word === tokens[1] && word.text === 'values' && tokens[0]?.text === '('
}

/** `extract(day from ts)`, `substring(x from 1 for 2)`, `is distinct from`, `filter (where x)`: no subquery. */
function isExtractFrom(tokens: readonly Token[], word: Token): boolean {
  const at = tokens.indexOf(word)
  if (word.text === 'from' && tokens[at - 1]?.text === 'distinct') return true
  if (word.text === 'where') return tokens[at - 1]?.text === '(' && tokens[at - 2]?.text === 'filter'
  if (word.text !== 'from' && word.text !== 'for') return false
  for (let i = at - 1; i > 0; i--) {
    const token = tokens[i]
    if (token?.text === '(' && token.depth === word.depth - 1) {
      return ['extract', 'substring', 'trim', 'overlay', 'position'].includes(tokens[i - 1]?.text ?? '')
    }
  }
  return false
}

/** `unnest(a) with ordinality`, `timestamp with time zone`: no CTE. */
function isSuffixWith(tokens: readonly Token[], word: Token): boolean {
  return word.text === 'with' && ['ordinality', 'time'].includes(tokens[tokens.indexOf(word) + 1]?.text ?? '')
}

/** CASE has its END, BETWEEN its AND, and no operator waits for an operand that the fragment does not have. */
function isBalanced(tokens: readonly Token[]): boolean {
  let cases = 0
  let betweens = 0
  for (const token of tokens) {
    if (token.kind !== 'word') continue
    if (token.text === 'case') cases++
    if (token.text === 'end' && --cases < 0) return false
    if (token.text === 'between') betweens++
    if (token.text === 'and' && betweens > 0) betweens--
  }
  const first = tokens[0]
  const last = tokens[tokens.length - 1]
  const dangling = new Set([
    'and',
    'or',
    'not',
    'is',
    'in',
    'like',
    'ilike',
    'between',
    'as',
    'collate',
    'when',
    'then',
  ])
  if (last?.kind === 'word' && dangling.has(last.text)) return false
  if (first?.kind === 'word' && first.text !== 'not' && dangling.has(first.text)) return false
  if (last?.kind === 'symbol' && ![')', ']', '*'].includes(last.text)) return false
  return cases === 0 && betweens === 0
}

function isLoose(tokens: readonly Token[], token: Token): boolean {
  if (token.text === 'or') return !insideCase(tokens, token)
  return false
}

function insideCase(tokens: readonly Token[], token: Token): boolean {
  let cases = 0
  for (const other of tokens) {
    if (other === token) return cases > 0
    if (other.kind === 'word' && other.text === 'case') cases++
    if (other.kind === 'word' && other.text === 'end') cases--
  }
  return false
}

function calledFunctions(tokens: readonly Token[]): string[] {
  const names: string[] = []
  tokens.forEach((token, index) => {
    if (tokens[index + 1]?.text !== '(' || tokens[index + 1]?.kind !== 'symbol') return
    const named = token.kind === 'quoted' || (token.kind === 'word' && !notCalls.has(token.text))
    if (named && tokens[chainStart(tokens, index) - 1]?.text !== '::') names.push(token.text)
  })
  return names
}

function columnNames(tokens: readonly Token[]): Token[] {
  return tokens.filter((token, index) => {
    if (token.kind !== 'word' && token.kind !== 'quoted') return false
    const next = tokens[index + 1]
    const previous = tokens[chainStart(tokens, index) - 1]
    if (tokens[chainEnd(tokens, index) + 1]?.text === '(' || previous?.text === '::' || previous?.text === 'collate')
      return false
    // `make_interval(days => 3)`: the name of an argument.
    if (next?.text === '=>' || (next?.text === ':' && tokens[index + 2]?.text === '=')) return false
    // `extract(epoch from ts)`: a field, and a FROM that reads no table.
    if (token.text === 'from' || token.text === 'for' || token.text === 'where' || isExtractField(tokens, index))
      return false
    if (previous?.text === 'as' && isInsideCast(tokens, index)) return false
    if (previous?.text === '(' && tokens[chainStart(tokens, index) - 2]?.text === 'operator') return false
    if (token.kind === 'quoted') return true
    if (expressionWords.has(token.text)) return false
    return !(typeWords.has(token.text) && isTypePosition(tokens, index))
  })
}

/** Where `a.b.c` begins. */
function chainStart(tokens: readonly Token[], index: number): number {
  return tokens[index - 1]?.text === '.' ? chainStart(tokens, index - 2) : index
}

function chainEnd(tokens: readonly Token[], index: number): number {
  return tokens[index + 1]?.text === '.' ? chainEnd(tokens, index + 2) : index
}

function isExtractField(tokens: readonly Token[], index: number): boolean {
  return tokens[index - 1]?.text === '(' && tokens[index - 2]?.text === 'extract' && tokens[index + 1]?.text === 'from'
}

function isInsideCast(tokens: readonly Token[], index: number): boolean {
  const depth = tokens[index]?.depth ?? 0
  for (let i = index - 1; i > 0; i--) {
    if (tokens[i]?.text === '(' && tokens[i]?.depth === depth - 1) return tokens[i - 1]?.text === 'cast'
  }
  return false
}

/** `double precision`, `character varying` after `::` or `as`; `date '2026-01-01'`. */
function isTypePosition(tokens: readonly Token[], index: number): boolean {
  const previous = tokens[index - 1]
  if (tokens[index + 1]?.kind === 'string') return true
  return (
    previous !== undefined && (previous.text === 'double' || previous.text === 'character' || previous.text === '::')
  )
}
