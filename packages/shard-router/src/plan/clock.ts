import type { FunctionNode, OperationNode, RawNode } from 'kysely'
import { sourceNode } from './compile.ts'
import { rawNode } from './decompose/nodes.ts'
import { placeholder } from './raw/lexer.ts'
import { understandRaw } from './raw/raw-fragment.ts'
import { bareName } from './scope/from-clause.ts'
import { mapNode } from './walk.ts'

const clockFunctions = new Set(['now', 'transaction_timestamp', 'statement_timestamp'])
// Words that are calls without parentheses, with the type of their value.
const clockWords: Readonly<Record<string, string>> = {
  current_timestamp: 'timestamptz',
  current_date: 'date',
  localtimestamp: 'timestamp',
}

/** One moment for all shards: `now()` and its relatives become a value that is read once per statement. */
export function bindClock<N extends OperationNode>(root: N): N {
  return mapNode(root, (node) => {
    if (node.kind === 'FunctionNode' && isClockCall(node as FunctionNode)) return moment('timestamptz')
    return node.kind === 'RawNode' ? bindRaw(node as RawNode) : undefined
  })
}

function isClockCall(node: FunctionNode): boolean {
  return node.arguments.length === 0 && clockFunctions.has(bareName(node.func))
}

function moment(type: string): OperationNode {
  const value = rawNode(['cast(', ' as timestamptz)'], [sourceNode({ from: 'moment' })])
  return type === 'timestamptz' ? value : rawNode(['cast(', ` as ${type})`], [value])
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
    if (token.kind !== 'word') return
    const close = tokens[index + 2]
    const called = tokens[index + 1]?.text === '(' && close?.text === ')'
    const type = clockWords[token.text]
    if (clockFunctions.has(token.text) && called) {
      cut(token.start, close.end, moment('timestamptz'))
      bound = true
    } else if (type && tokens[index + 1]?.text !== '(') {
      cut(token.start, token.end, moment(type))
      bound = true
    }
  })
  if (!bound) return undefined
  fragments.push(text.slice(from))
  return rawNode(fragments, nodes)
}
