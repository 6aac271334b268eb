import { ColumnNode, type OperationNode, RawNode, ReferenceNode, TableNode } from 'kysely'
import { refuse } from '../refuse.ts'
import type { Block } from '../scope/block.ts'
import { placeholder, type Token } from './lexer.ts'
import { understandRaw, unwrapRaw } from './raw-fragment.ts'

/**
 * Rewrites a raw fragment so that each column it names is a reference node, and each value a value node, so that the
 * rest of the planner sees it as it sees Kysely's own nodes.
 * @throws RoutingError RAW_SQL_NOT_UNDERSTOOD when a name is no column that is certain.
 */
export function openRaw(node: RawNode, block: Block): OperationNode {
  const bare = unwrapRaw(node)
  if (bare !== node) return bare
  const fragment = understandRaw(node)
  if (fragment.names.length === 0) return node
  const text = node.sqlFragments.join(placeholder)
  const fragments: string[] = []
  const nodes: OperationNode[] = []
  let from = 0
  let parameter = 0
  const cut = (at: number, to: number, inserted: OperationNode): void => {
    fragments.push(text.slice(from, at))
    nodes.push(inserted)
    from = to
  }
  for (let i = 0; i < fragment.tokens.length; i++) {
    const token = fragment.tokens[i] as Token
    if (token.text === placeholder) {
      cut(token.start, token.end, node.parameters[parameter++] as OperationNode)
    } else if (fragment.names.includes(token)) {
      const { reference, used } = referenceAt(fragment.tokens, i, block)
      cut(token.start, (fragment.tokens[i + used - 1] as Token).end, reference)
      i += used - 1
    }
  }
  fragments.push(text.slice(from))
  return RawNode.create(fragments, nodes)
}

function referenceAt(tokens: readonly Token[], at: number, block: Block): { reference: OperationNode; used: number } {
  const first = tokens[at] as Token
  const qualified = tokens[at + 1]?.text === '.'
  const column = qualified ? tokens[at + 2] : first
  const known = block.relations.some((relation) =>
    qualified ? relation.alias === first.text : relation.columns?.includes(first.text),
  )
  if (!known || !column || (column.kind !== 'word' && column.kind !== 'quoted')) {
    return refuse(
      'RAW_SQL_NOT_UNDERSTOOD',
      `The raw fragment names '${first.text}', which is no column of the query's tables that is certain.`,
      'Write columns as sql.ref("table.column"), or use the expression builder.',
    )
  }
  const name = ColumnNode.create(column.text)
  return qualified
    ? { reference: ReferenceNode.create(name, TableNode.create(first.text)), used: 3 }
    : { reference: ReferenceNode.create(name), used: 1 }
}
