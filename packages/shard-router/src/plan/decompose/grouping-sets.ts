import { type FunctionNode, type OperationNode, type ParensNode, RawNode } from 'kysely'
import { placeholder, type Token } from '../raw/lexer.ts'
import { understandRaw, unwrapRaw } from '../raw/raw-fragment.ts'
import { bareName } from '../scope/from-clause.ts'
import { slice } from './order-items.ts'

/** `()` is the set of no expression; `distinct`, of the whole clause, stands before its first item. */
const keyword = /^\s*(?:(?:rollup|cube|grouping\s+sets)\s*\(|distinct\b|\(\s*\)\s*$)/i

/**
 * The expressions inside `rollup(a, b)`, `cube(...)` and `grouping sets (...)`; `undefined` for a plain GROUP BY item.
 * Shards group by all of them, the final statement by the sets.
 */
export function groupingSetParts(item: OperationNode): readonly OperationNode[] | undefined {
  if (!isGroupingSet(item)) return undefined
  if (item.kind === 'FunctionNode') return (item as FunctionNode).arguments.flatMap(members)
  return (openGroupingSet(item) as RawNode).parameters.flatMap(members)
}

/** True for ROLLUP, CUBE, GROUPING SETS and `()`: over no rows they may still give one. */
export function isGroupingSet(item: OperationNode): boolean {
  if (item.kind === 'FunctionNode') return ['rollup', 'cube'].includes(bareName((item as FunctionNode).func))
  return item.kind === 'RawNode' && keyword.test((item as RawNode).sqlFragments[0] ?? '')
}

function members(node: OperationNode): readonly OperationNode[] {
  const bare = unwrapRaw(node)
  if (bare.kind === 'ParensNode') return members((bare as ParensNode).node)
  if (bare.kind !== 'TupleNode' && bare.kind !== 'ValueListNode') return groupingSetParts(bare) ?? [bare]
  return (bare as unknown as { values: readonly OperationNode[] }).values.flatMap(members)
}

/** Grouping sets written as raw text, with each expression as a node of its own between keywords and parentheses. */
export function openGroupingSet(item: OperationNode): OperationNode {
  if (item.kind !== 'RawNode' || !isGroupingSet(item)) return item
  return new SetReader(item as RawNode).read()
}

class SetReader {
  readonly #text: string
  readonly #tokens: readonly Token[]
  readonly #node: RawNode
  readonly #fragments: string[] = []
  readonly #nodes: OperationNode[] = []
  #from = 0
  #at = 0

  constructor(node: RawNode) {
    this.#text = node.sqlFragments.join(placeholder)
    this.#tokens = understandRaw(node).tokens
    this.#node = node
  }

  read(): RawNode {
    while (this.#at < this.#tokens.length) {
      if (this.#isSyntax()) this.#at++
      else this.#expression()
    }
    this.#fragments.push(this.#text.slice(this.#from))
    return RawNode.create(this.#fragments, this.#nodes)
  }

  /** Keywords, commas, and parentheses around sets; `(a + b) * 2` opens no set. */
  #isSyntax(): boolean {
    const { text } = this.#tokens[this.#at] as Token
    const next = this.#tokens[this.#at + 1]?.text
    if (text === ',' || text === ')' || (text === 'distinct' && this.#at === 0)) return true
    if (text === '(') return this.#closesElement()
    if ((text === 'rollup' || text === 'cube') && next === '(') return true
    return (text === 'grouping' && next === 'sets') || (text === 'sets' && next === '(')
  }

  #closesElement(): boolean {
    const { depth } = this.#tokens[this.#at] as Token
    const close = this.#tokens.findIndex((token, at) => at > this.#at && token.text === ')' && token.depth === depth)
    const after = this.#tokens[close + 1]
    return after === undefined || after.text === ',' || after.text === ')'
  }

  #expression(): void {
    const first = this.#tokens[this.#at] as Token
    const start = this.#at
    while (this.#at < this.#tokens.length && !this.#endsElement(first.depth)) this.#at++
    const tokens = this.#tokens.slice(start, this.#at)
    this.#fragments.push(this.#text.slice(this.#from, first.start))
    this.#nodes.push(slice(this.#node, this.#tokens, tokens))
    this.#from = (tokens[tokens.length - 1] as Token).end
  }

  #endsElement(depth: number): boolean {
    const token = this.#tokens[this.#at] as Token
    return (token.text === ',' && token.depth === depth) || (token.text === ')' && token.depth < depth)
  }
}
