import { type OperationNode, type OrderByItemNode, type OrderByNode, RawNode } from 'kysely'
import { placeholder, type Token } from '../raw/lexer.ts'
import { understandRaw, unwrapRaw } from '../raw/raw-fragment.ts'
import { mapNode } from '../walk.ts'

/** ORDER BY items whose raw text has several expressions, or a direction of its own, as items of their own. */
export function withOrderItems<N extends OperationNode>(root: N): N {
  return mapNode(root, (node) => {
    if (node.kind !== 'OrderByNode') return undefined
    const { items } = node as OrderByNode
    const opened = items.flatMap((item) => itemsOf({ ...item, orderBy: withOrderItems(item.orderBy) }))
    return { ...node, items: opened } as OperationNode
  })
}

function itemsOf(item: OrderByItemNode): readonly OrderByItemNode[] {
  const bare = unwrapRaw(item.orderBy)
  if (bare.kind !== 'RawNode' || item.direction || item.nulls || item.collation) return [item]
  const { tokens } = understandRaw(bare as RawNode)
  const commas = tokens.filter((token) => token.text === ',' && token.depth === 0)
  const bounds = [-1, ...commas.map((comma) => tokens.indexOf(comma)), tokens.length]
  const pieces = bounds.slice(1).map((end, index) => tokens.slice((bounds[index] as number) + 1, end))
  if (pieces.some((piece) => piece.length === 0)) return [item]
  const items = pieces.map((piece) => itemOf(item, bare as RawNode, tokens, piece))
  return items.length === 1 && items[0]?.direction === undefined ? [item] : items
}

function itemOf(item: OrderByItemNode, raw: RawNode, all: readonly Token[], piece: readonly Token[]): OrderByItemNode {
  const words = piece.map((token) => (token.kind === 'word' && token.depth === 0 ? token.text : ''))
  let end = piece.length
  if (words[end - 2] === 'nulls' && (words[end - 1] === 'first' || words[end - 1] === 'last')) end -= 2
  if (words[end - 1] === 'asc' || words[end - 1] === 'desc') end -= 1
  const direction = words.slice(end).join(' ')
  const expression = slice(raw, all, piece.slice(0, end))
  return {
    ...item,
    orderBy: expression,
    ...(direction === '' ? {} : { direction: RawNode.createWithSql(direction) }),
  }
}

/** The part of a raw node that these tokens are. */
export function slice(raw: RawNode, all: readonly Token[], tokens: readonly Token[]): OperationNode {
  const [first] = tokens
  const last = tokens[tokens.length - 1]
  if (!first || !last) return raw
  const text = raw.sqlFragments.join(placeholder).slice(first.start, last.end)
  const count = (part: readonly Token[]) => part.filter((token) => token.text === placeholder).length
  const before = count(all.slice(0, all.indexOf(first)))
  return RawNode.create(text.split(placeholder), raw.parameters.slice(before, before + count(tokens)))
}
