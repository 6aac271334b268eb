import {
  ColumnNode,
  type OperationNode,
  type OrderByItemNode,
  OrderByNode,
  ReferenceNode,
  SelectionNode,
  type SelectQueryNode,
  TableNode,
  type ValueNode,
} from 'kysely'
import type { ParameterIndex } from '../compile.ts'
import { compileTemplate } from '../compile.ts'
import type { MergePlan, OrderKey, StarColumn } from '../merge-plan.ts'
import { unwrapRaw } from '../raw/raw-fragment.ts'
import { refuse } from '../refuse.ts'
import type { Block } from '../scope/block.ts'
import { bareColumnName, type Output, outputsOf } from '../scope/outputs.ts'
import type { Localized } from './decompose.ts'
import { aliased, fromGather, partialAlias, slots, without } from './nodes.ts'
import { checkOrderExpression, directionOf, pushedLimit, rowWindow } from './order.ts'
import { signatureOf } from './partial-columns.ts'
import { isDistinct } from './row-local.ts'

/** The step number of the partial rows themselves in a final statement. */
export const partialStep = 0

/**
 * Rows that are whole on each shard, to be sorted, cut or freed of duplicates: ORDER BY and LIMIT are pushed, what is
 * sorted by and not selected travels as hidden columns at the end of each row.
 */
export function decomposeRows(localized: Localized): MergePlan {
  const { analyzer, gathers } = localized
  const node = localized.root as SelectQueryNode
  const block = analyzer.knownBlock(node)
  const repeats = (isDistinct(node) || node.distinctOn !== undefined) && !localized.locality.isRowLocal(node, block)
  const layout = layoutOf(node, block, analyzer.parameters)
  if (isDistinct(node) && layout.hidden.length > 0) return refuseDistinctOrder()
  const partial = {
    ...without(node, 'limit', 'offset', 'fetch'),
    selections: [...(node.selections ?? []), ...layout.hidden],
    ...pushedLimit(node, analyzer.parameters),
  }
  const window = rowWindow(node, analyzer.parameters)
  const combine = {
    final: compileTemplate(finalNode(node, layout, repeats), analyzer.parameters),
    reason: node.fetch
      ? "WITH TIES is PostgreSQL's"
      : node.distinctOn && repeats
        ? "DISTINCT ON is PostgreSQL's"
        : "the order is PostgreSQL's",
    hidden: layout.hidden.length,
    ...(layout.stars.length > 0 ? { stars: layout.stars } : {}),
  }
  const shared = { gathers, partial: compileTemplate(partial, analyzer.parameters), accesses: analyzer.accesses }
  const custom = layout.items.some((item) => item.collation)
  if (node.fetch || !window || custom || (repeats && node.distinctOn))
    return { ...shared, merge: { kind: 'combine', combine } }
  return {
    ...shared,
    merge: { kind: 'ordered', order: layout.order, window, hidden: layout.hidden.length, distinct: repeats, combine },
  }
}

/** PostgreSQL's own rule; a hidden column would lift it. */
function refuseDistinctOrder(): never {
  return refuse(
    'UNSUPPORTED_MERGE',
    'For SELECT DISTINCT, ORDER BY expressions must be in the select list.',
    'Select the expression, or order by an output column.',
  )
}

interface RowLayout {
  readonly items: readonly OrderByItemNode[]
  readonly order: readonly OrderKey[]
  readonly hidden: readonly SelectionNode[]
  /** DISTINCT ON expressions as columns of the partial rows. */
  readonly distinctOn: readonly OperationNode[]
  readonly stars: readonly StarColumn[]
}

/** Where each ORDER BY expression stands in the partial rows: an output, or a hidden column. */
function layoutOf(node: SelectQueryNode, block: Block, parameters: ParameterIndex): RowLayout {
  const outputs = outputsOf(node.selections, block)
  const signatures = outputs?.map((output) => output.expression && signatureOf(output.expression, block, parameters))
  const hidden: OperationNode[] = []
  const hiddenSignatures: string[] = []
  const stars: StarColumn[] = []
  const place = (expression: OperationNode): number => {
    const known = outputPosition(expression, outputs, signatures, block, parameters)
    if (known !== undefined) {
      stars.push(...starColumn(outputs, known))
      return known
    }
    const signature = signatureOf(expression, block, parameters)
    const at = hiddenSignatures.indexOf(signature)
    if (at >= 0) return ~at
    hidden.push(expression)
    hiddenSignatures.push(signature)
    return ~(hidden.length - 1)
  }
  const items = node.orderBy?.items ?? []
  const places = items.map((item) => {
    checkOrderExpression(item.orderBy)
    return { at: place(item.orderBy), ...directionOf(item) }
  })
  const distinctOn = (node.distinctOn ?? []).map((item) => columnAt(place(item)))
  return {
    items,
    order: places.map(({ at, descending, nullsFirst }) => ({
      position: at >= 0 ? at : ~at - hidden.length,
      descending,
      nullsFirst,
    })),
    hidden: hidden.map((expression, index) => aliased(expression, `shardwright:hidden:${index + 1}`)),
    distinctOn,
    stars,
  }
}

/** A position at or behind a `*` holds as long as the tables have the columns that the catalog knows. */
function starColumn(outputs: readonly Output[] | undefined, position: number): readonly StarColumn[] {
  const name = outputs?.[position]?.name
  const star = outputs?.findIndex((output) => output.expression === undefined) ?? -1
  return name === undefined || star < 0 || position < star ? [] : [{ position, name }]
}

/** Outputs are `c1`, `c2`, ...; hidden columns `h1`, `h2`, ... (given as the complement of their number). */
function columnAt(place: number): OperationNode {
  const name = place >= 0 ? `c${place + 1}` : `h${~place + 1}`
  return ReferenceNode.create(ColumnNode.create(name), TableNode.create(partialAlias))
}

/** ORDER BY reads a bare name as an output first, a literal number as a position, and else as an expression. */
export function outputPosition(
  node: OperationNode,
  outputs: readonly Output[] | undefined,
  signatures: readonly (string | undefined)[] | undefined,
  block: Block,
  parameters: ParameterIndex,
): number | undefined {
  if (!outputs || !signatures) return undefined
  const bare = unwrapRaw(node)
  if (bare.kind === 'ValueNode' && (bare as ValueNode).immediate && typeof (bare as ValueNode).value === 'number') {
    return Number((bare as ValueNode).value) - 1
  }
  const name = bareColumnName(bare)
  if (name !== undefined) {
    const at = outputs.findIndex((output) => output.name === name)
    if (at >= 0) return at
  }
  const signature = signatureOf(bare, block, parameters)
  const at = signatures.indexOf(signature)
  if (at >= 0) return at
  return starPosition(bare, outputs, block, parameters, signature)
}

/** A column of `*` has no expression; it is found by what it resolves to. */
function starPosition(
  node: OperationNode,
  outputs: readonly Output[],
  block: Block,
  parameters: ParameterIndex,
  signature: string,
): number | undefined {
  if (node.kind !== 'ReferenceNode') return undefined
  const at = outputs.findIndex(({ expression, term }) => {
    if (expression || !term) return false
    const reference = ReferenceNode.create(ColumnNode.create(term.column), TableNode.create(term.relation.alias))
    return signatureOf(reference, block, parameters) === signature
  })
  return at < 0 ? undefined : at
}

/** The same clauses over the partial rows. */
function finalNode(node: SelectQueryNode, layout: RowLayout, repeats: boolean): SelectQueryNode {
  const items = layout.items.map((item, index) => {
    const { position } = layout.order[index] as OrderKey
    const at = position >= 0 ? position : ~(position + layout.hidden.length)
    return { ...item, orderBy: columnAt(at) }
  })
  return {
    kind: 'SelectQueryNode',
    from: fromGather(partialStep),
    selections: [SelectionNode.create(ReferenceNode.create(ColumnNode.create(slots.outputs)))],
    ...(repeats && isDistinct(node) ? { frontModifiers: node.frontModifiers ?? [] } : {}),
    ...(repeats && node.distinctOn ? { distinctOn: layout.distinctOn } : {}),
    ...(items.length > 0 ? { orderBy: OrderByNode.create(items) } : {}),
    ...(node.limit ? { limit: node.limit } : {}),
    ...(node.offset ? { offset: node.offset } : {}),
    ...(node.fetch ? { fetch: node.fetch } : {}),
  }
}
