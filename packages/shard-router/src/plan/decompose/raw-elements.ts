import { type OperationNode, RawNode } from 'kysely'
import { placeholder, type Token } from '../raw/lexer.ts'
import { understandRaw } from '../raw/raw-fragment.ts'
import { slice } from './order-items.ts'

/**
 * Rewrites a raw node whose text has expressions in it that stand for something else: the largest closed parts for
 * which `element` gives a node are replaced by it, and every other node in the text by what `rest` makes of it.
 */
export function rewriteElements(
  raw: RawNode,
  element: (part: OperationNode) => OperationNode | undefined,
  rest: (node: OperationNode) => OperationNode,
): RawNode {
  const { tokens } = understandRaw(raw)
  const text = raw.sqlFragments.join(placeholder)
  const fragments: string[] = []
  const nodes: OperationNode[] = []
  let from = 0
  let parameter = 0
  const put = (first: Token, last: Token, node: OperationNode): void => {
    fragments.push(text.slice(from, first.start))
    nodes.push(node)
    from = last.end
  }
  for (let at = 0; at < tokens.length; at++) {
    const first = tokens[at] as Token
    const found = endsOf(tokens, at)
      .map((end) => ({ end, node: element(slice(raw, tokens, tokens.slice(at, end))) }))
      .find(({ node }) => node !== undefined)
    if (found?.node) {
      put(first, tokens[found.end - 1] as Token, found.node)
      parameter += tokens.slice(at, found.end).filter(isParameter).length
      at = found.end - 1
    } else if (isParameter(first)) {
      put(first, first, rest(raw.parameters[parameter++] as OperationNode))
    }
  }
  fragments.push(text.slice(from))
  return RawNode.create(fragments, nodes)
}

function isParameter(token: Token): boolean {
  return token.text === placeholder
}

/** Where parts may end that begin at a token and mean the same wherever they stand; the largest first. */
function endsOf(tokens: readonly Token[], at: number): number[] {
  const ends: number[] = []
  const before = tokens[at - 1]?.text
  if (before === '.' || before === '::') return ends
  if (before === '(' || before === ',') ends.push(elementEnd(tokens, at))
  let end = atomEnd(tokens, at)
  const postfixed: number[] = []
  while (tokens[end]?.text === '::' && tokens[end + 1]?.kind === 'word') {
    end = atomEnd(tokens, end + 1)
    postfixed.unshift(end)
  }
  const call = tokens[at + 1]?.text === '(' || tokens[at]?.text === '(' ? [atomEnd(tokens, at)] : []
  return [...ends, ...postfixed, ...call].filter((candidate) => !continues.has(tokens[candidate]?.text ?? ''))
}

/** What would go on with the part: a field, an array of the type, a type of several words. */
const continues = new Set(['.', '[', 'with', 'without', 'precision', 'varying'])

/** Up to the comma or parenthesis that ends the element. */
function elementEnd(tokens: readonly Token[], at: number): number {
  const { depth } = tokens[at] as Token
  const end = tokens.findIndex(
    (token, index) => index >= at && ((token.text === ',' && token.depth === depth) || token.depth < depth),
  )
  return end < 0 ? tokens.length : end
}

/** A name with its arguments, a parenthesis with all inside, or one token. */
function atomEnd(tokens: readonly Token[], at: number): number {
  const open = tokens[at]?.text === '(' ? at : tokens[at + 1]?.text === '(' ? at + 1 : undefined
  if (open === undefined) return at + 1
  const { depth } = tokens[open] as Token
  return tokens.findIndex((token, index) => index > open && token.text === ')' && token.depth === depth) + 1
}
