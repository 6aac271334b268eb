import { type OperationNode, RawNode } from 'kysely'
import { placeholder, type Token } from '../raw/lexer.ts'
import { understandRaw } from '../raw/raw-fragment.ts'
import { slice } from './order-items.ts'
import { precedenceAfter, precedenceBefore, precedenceOfTokens } from './precedence.ts'

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

/** Where parts may end that begin at a token and mean the same where they stand as alone; the largest first. */
function endsOf(tokens: readonly Token[], at: number): number[] {
  const { depth } = tokens[at] as Token
  const left = precedenceBefore(tokens, at - 1)
  if (left === undefined) return []
  const ends: number[] = []
  for (let end = at + 1; end <= tokens.length && (tokens[end - 1] as Token).depth >= depth; end++) {
    const next = tokens[end]
    if (next && (next.depth > depth || (next.depth === depth && brackets.has(next.text)))) continue
    const right = precedenceAfter(tokens, end)
    if (right === undefined) continue
    const own = precedenceOfTokens(tokens.slice(at, end), depth)
    if (own > left && own >= right) ends.unshift(end)
    if (next?.text === ',') break
  }
  return ends
}

// At the depth of the part they are the part's own.
const brackets = new Set(['(', ')', '[', ']'])
