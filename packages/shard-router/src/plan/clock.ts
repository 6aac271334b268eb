import type { FunctionNode, OperationNode, RawNode, ValueNode } from 'kysely'
import { plannedSource, sourceNode } from './compile.ts'
import { rawNode } from './decompose/nodes.ts'
import { placeholder, type Token } from './raw/lexer.ts'
import { understandRaw } from './raw/raw-fragment.ts'
import { bareName } from './scope/from-clause.ts'
import type { Moment } from './source.ts'
import { mapNode, someNode } from './walk.ts'

/** Functions without arguments, with the moment that they tell. */
const clockFunctions: ReadonlyMap<string, keyof Moment> = new Map([
  ['now', 'transaction'],
  ['transaction_timestamp', 'transaction'],
  ['statement_timestamp', 'statement'],
])

/** Words that are calls without parentheses, or with a precision, with the type of their value. */
const clockWords: ReadonlyMap<string, string> = new Map([
  ['current_timestamp', 'timestamptz'],
  ['current_date', 'date'],
  ['current_time', 'timetz'],
  ['localtimestamp', 'timestamp'],
  ['localtime', 'time'],
])

/** True for a function or word whose value is the statement's or the transaction's moment. */
export function isClock(name: string): boolean {
  return clockFunctions.has(name) || clockWords.has(name)
}

export function isClockWord(name: string): boolean {
  return clockWords.has(name)
}

/** One moment for all shards: `now()` and its relatives become a value that is read once per statement. */
export function bindClock<N extends OperationNode>(root: N): N {
  return mapNode(root, (node) => {
    if (node.kind === 'RawNode') return bindRaw(node as RawNode)
    if (node.kind !== 'FunctionNode' || (node as FunctionNode).arguments.length > 0) return undefined
    const of = clockFunctions.get(bareName((node as FunctionNode).func))
    return of && momentNode(of)
  })
}

/** True when a moment has to be read before the statement can be sent. */
export function asksMoment(root: OperationNode): boolean {
  return someNode(root, (node) => node.kind === 'ValueNode' && plannedSource(node as ValueNode)?.from === 'moment')
}

function momentNode(of: keyof Moment, type?: string): OperationNode {
  const value = rawNode(['cast(', ' as timestamptz)'], [sourceNode({ from: 'moment', of })])
  return type === undefined || type === 'timestamptz' ? value : rawNode(['cast(', ` as ${type})`], [value])
}

function bindRaw(node: RawNode): OperationNode | undefined {
  const { tokens } = understandRaw(node)
  const text = node.sqlFragments.join(placeholder)
  const fragments: string[] = []
  const nodes: OperationNode[] = []
  let from = 0
  let parameter = 0
  let bound = false
  const cut = (start: number, end: number, inserted: OperationNode): void => {
    fragments.push(text.slice(from, start))
    nodes.push(inserted)
    from = end
  }
  tokens.forEach((token, index) => {
    if (token.text === placeholder) {
      cut(token.start, token.end, bindClock(node.parameters[parameter++] as OperationNode))
      return
    }
    const called = token.kind === 'word' ? clockAt(tokens, index) : undefined
    if (!called) return
    cut(token.start, called.end, called.value)
    bound = true
  })
  if (!bound) return undefined
  fragments.push(text.slice(from))
  return rawNode(fragments, nodes)
}

/** `now()`, `current_date`, `current_timestamp(3)` at a token, and where it ends. */
function clockAt(
  tokens: readonly Token[],
  index: number,
): { readonly end: number; readonly value: OperationNode } | undefined {
  const [word, open, inside, close] = tokens.slice(index, index + 4) as [Token, Token?, Token?, Token?]
  const of = clockFunctions.get(word.text)
  if (of) return open?.text === '(' && inside?.text === ')' ? { end: inside.end, value: momentNode(of) } : undefined
  const type = clockWords.get(word.text)
  if (type === undefined) return undefined
  if (open?.text !== '(') return { end: word.end, value: momentNode('transaction', type) }
  if (inside?.kind !== 'number' || close?.text !== ')') return undefined
  return { end: close.end, value: momentNode('transaction', `${type}(${inside.text})`) }
}
