import { type CompiledQuery, type OperationNode, RawNode, type RootOperationNode } from 'kysely'
import { childrenOf, mapNode } from '../walk.ts'
import { endOfText, placeholder } from './lexer.ts'
import { openRawNodes } from './open-nodes.ts'

/**
 * The tree of a statement whose text may end in a line comment or a semicolon. They are nothing where nothing follows,
 * but in the statements that are made of it something may.
 */
export function withPlainEnd({ query, sql }: Pick<CompiledQuery, 'query' | 'sql'>): RootOperationNode {
  if (!mayEndOpen(sql)) return query
  const root = openRawNodes(query)
  const open = rawNodesIn(root).filter((node) => endOfText(textOf(node)) < textOf(node).length)
  const [only] = open
  // Of two, the comment of the first would take the rest of the statement with it.
  if (!only || open.length > 1 || !sql.endsWith(lastOf(only))) return query
  const closed = closedNode(only)
  return closed ? mapNode(root, (node) => (node === only ? closed : undefined)) : query
}

function mayEndOpen(sql: string): boolean {
  const line = Math.max(sql.lastIndexOf('\n'), sql.lastIndexOf('\r'))
  return sql.lastIndexOf('--') > line || sql.lastIndexOf(';') > sql.lastIndexOf('$')
}

function rawNodesIn(node: OperationNode): RawNode[] {
  const below = childrenOf(node).flatMap(rawNodesIn)
  return node.kind === 'RawNode' ? [node as RawNode, ...below] : below
}

function textOf({ sqlFragments }: RawNode): string {
  return sqlFragments.join(placeholder)
}

function lastOf({ sqlFragments }: RawNode): string {
  return sqlFragments.at(-1) ?? ''
}

/** The comment stays, as one that has an end. */
function closedNode(node: RawNode): RawNode | undefined {
  const text = textOf(node)
  const last = lastOf(node)
  const cut = endOfText(text) - (text.length - last.length)
  if (cut < 0) return undefined
  const comment = /--(.*)$/.exec(last.slice(cut))?.[1]?.replaceAll(/\/\*|\*\//g, '')
  return RawNode.create(
    [...node.sqlFragments.slice(0, -1), `${last.slice(0, cut)}/*${comment ?? ''}*/`],
    [...node.parameters],
  )
}
