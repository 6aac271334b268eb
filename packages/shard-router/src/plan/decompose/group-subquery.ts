import { ColumnNode, type OperationNode, type RawNode, ReferenceNode, TableNode } from 'kysely'
import { understandRaw, unwrapRaw } from '../raw/raw-fragment.ts'
import { refuse } from '../refuse.ts'
import { type Block, type ColumnTerm, resolveColumn } from '../scope/block.ts'
import { isQuery } from '../scope/from-clause.ts'
import { mapNode, someNode } from '../walk.ts'
import type { Localized } from './decompose.ts'
import { isAggregate } from './group-level.ts'
import { reads, refuseCorrelated } from './whole-parts.ts'

/**
 * A subquery that is computed for each group, in the statement that puts the groups of all shards together: the columns
 * of the level around it become what `grouped` gives for them.
 */
export function groupSubquery(
  query: OperationNode,
  block: Block,
  { analyzer, locality }: Pick<Localized, 'analyzer' | 'locality'>,
  grouped: (column: OperationNode) => OperationNode | undefined,
): OperationNode {
  if (readsCte(query, block)) refuseCte()
  if (!locality.isCorrelated(query, block)) return query
  if (locality.spreadOf(query) !== 'everywhere') refuseCorrelated('a subquery')
  const isOuter = (inner: Block) => (node: OperationNode) => resolveColumn(node, inner)?.block === block
  const within = (level: OperationNode): OperationNode => {
    const inner = analyzer.knownBlock(level)
    return mapNode(level, (current) => {
      if (current !== level && isQuery(current)) return within(current)
      const bare = unwrapRaw(current)
      // An aggregate of outer columns alone would be one of the level around, over its rows.
      if (isAggregate(bare, analyzer.catalog) && someNode(bare, isOuter(inner))) refuseColumn()
      if (bare.kind === 'RawNode' && understandRaw(bare as RawNode).names.length > 0) refuseColumn()
      if (!isOuter(inner)(current)) return undefined
      const term = resolveColumn(current, inner) as ColumnTerm
      const column = ReferenceNode.create(ColumnNode.create(term.column), TableNode.create(term.relation.alias))
      return grouped(column) ?? refuseColumn()
    })
  }
  return within(query)
}

function refuseColumn(): never {
  return refuse(
    'UNSUPPORTED_MERGE',
    'A subquery in a grouped query reads what is no grouped column for certain.',
    'Group in a subquery in FROM, and write the other subquery around it; write columns with Kysely.',
  )
}

/** The statement over the groups has no WITH. */
function readsCte(query: OperationNode, { environment }: Block): boolean {
  return [...environment.ctes.keys()].some((name) => reads(name, query))
}

function refuseCte(): never {
  return refuse(
    'UNSUPPORTED_MERGE',
    'A subquery in a grouped query reads a CTE.',
    'Group in a subquery in FROM, and write the other subquery around it.',
  )
}
