import { type OperationNode, SelectModifierNode, type SelectQueryNode } from 'kysely'
import { compileTemplate } from '../compile.ts'
import type { MergePlan } from '../merge-plan.ts'
import { unwrapRaw } from '../raw/raw-fragment.ts'
import { refuse } from '../refuse.ts'
import { type Block, resolveColumn } from '../scope/block.ts'
import { isQuery } from '../scope/from-clause.ts'
import { bareColumnName, outputsOf } from '../scope/outputs.ts'
import { mapNode } from '../walk.ts'
import type { Localized } from './decompose.ts'
import { expressionTraits, isAtomic, isOperator } from './expression.ts'
import { openSelections } from './group-level.ts'
import { groupingSetParts } from './grouping-sets.ts'
import { aliased, fromGather, partialColumn, rowSource, without } from './nodes.ts'
import { checkOrderExpression } from './order.ts'
import { PartialColumns } from './partial-columns.ts'
import { partialStep } from './row-level.ts'

/**
 * Rows travel: each shard computes FROM, WHERE and the expressions of single rows; everything else is computed by
 * PostgreSQL over all of them. `distinctRows`: repeated rows change nothing, so each shard sends each row once.
 */
export function decomposeWhole(localized: Localized, reason: string, distinctRows = false): MergePlan {
  const { analyzer, gathers } = localized
  const block = analyzer.knownBlock(localized.root)
  const node = openSelections(localized.root as SelectQueryNode, block)
  const partials = new PartialColumns(block, analyzer.parameters)
  const final = new WholeLevel(node, block, partials, localized).finalNode()
  // A row must arrive even when no column of it is needed: count(*) counts rows.
  const selections = partials.count > 0 ? partials.selections() : [aliased(literalOne(), 'c1')]
  const partial: SelectQueryNode = {
    ...rowSource(node),
    selections,
    ...(distinctRows ? { frontModifiers: [SelectModifierNode.create('Distinct')] } : {}),
  }
  return {
    gathers,
    partial: compileTemplate(partial, analyzer.parameters),
    accesses: analyzer.accesses,
    merge: { kind: 'combine', combine: { final: compileTemplate(final, analyzer.parameters), reason, hidden: 0 } },
  }
}

function literalOne(): OperationNode {
  return { kind: 'ValueNode', value: 1, immediate: true } as OperationNode
}

class WholeLevel {
  readonly #node: SelectQueryNode
  readonly #block: Block
  readonly #partials: PartialColumns
  readonly #localized: Localized

  constructor(node: SelectQueryNode, block: Block, partials: PartialColumns, localized: Localized) {
    this.#node = node
    this.#block = block
    this.#partials = partials
    this.#localized = localized
  }

  finalNode(): SelectQueryNode {
    const node = this.#node
    const outputs = outputsOf(node.selections, this.#block)
    if (!outputs) return refuseStar()
    const selections = outputs.map((output) => {
      const expression = output.expression ?? starReference(output.term)
      return aliased(this.#rewrite(expression, false), output.name ?? '?column?')
    })
    const order = (node.orderBy?.items ?? []).map((item) => {
      checkOrderExpression(item.orderBy)
      const bare = unwrapRaw(item.orderBy)
      const name = bareColumnName(bare)
      const isOutput = bare.kind === 'ValueNode' || outputs.some((output) => name !== undefined && output.name === name)
      return { ...item, orderBy: isOutput ? bare : this.#rewrite(bare, false) }
    })
    const groups = (node.groupBy?.items ?? []).map((item) => {
      const name = bareColumnName(unwrapRaw(item.groupBy))
      const output =
        name !== undefined && !resolveColumn(item.groupBy, this.#block)
          ? outputs.find((candidate) => candidate.name === name)?.expression
          : undefined
      return { ...item, groupBy: this.#group(unwrapRaw(output ?? item.groupBy)) }
    })
    return {
      ...without(node, 'with', 'from', 'joins', 'where'),
      from: fromGather(partialStep),
      selections,
      ...(node.distinctOn ? { distinctOn: node.distinctOn.map((item) => this.#rewrite(item, false)) } : {}),
      ...(node.groupBy ? { groupBy: { ...node.groupBy, items: groups } } : {}),
      ...(node.having ? { having: { ...node.having, having: this.#rewrite(node.having.having, false) } } : {}),
      ...(node.orderBy ? { orderBy: { ...node.orderBy, items: order } } : {}),
    }
  }

  /** The sets of ROLLUP and its relatives stay; what they name becomes columns. */
  #group(item: OperationNode): OperationNode {
    if (!groupingSetParts(item)) return this.#rewrite(item, false)
    return mapNode(item, (child) => (child === item ? undefined : this.#rewriteChild(child, false)))
  }

  /** The largest parts that are computed from one row become columns; what is above them stays. */
  #rewrite(node: OperationNode, underOperator: boolean): OperationNode {
    const bare = unwrapRaw(node)
    if (isQuery(bare)) return partialColumn(this.#partials.add(bare))
    if (isLeaf(bare)) return bare
    const traits = expressionTraits(bare, this.#localized.analyzer.catalog)
    const ofOneRow = !traits.aggregate && !traits.window && !traits.returnsSet
    if (ofOneRow && isScalar(bare) && (!underOperator || isAtomic(bare))) {
      return this.#usesColumns(bare) ? partialColumn(this.#partials.add(bare)) : bare
    }
    const operator = isOperator(bare)
    return mapNode(bare, (child) => (child === bare ? undefined : this.#rewriteChild(child, operator)))
  }

  #rewriteChild(child: OperationNode, underOperator: boolean): OperationNode | undefined {
    const bare = unwrapRaw(child)
    if (isLeaf(bare)) return child
    // Lists, ORDER BY, FILTER and OVER are no values themselves: what stands in them is.
    if (!isScalar(bare)) {
      return mapNode(bare, (inner) => (inner === bare ? undefined : this.#rewriteChild(inner, false)))
    }
    return this.#rewrite(bare, underOperator)
  }

  #usesColumns(node: OperationNode): boolean {
    let uses = false
    mapNode(node, (current) => {
      if (isQuery(current) || resolveColumn(current, this.#block) || current.kind === 'ReferenceNode') uses = true
      return undefined
    })
    return uses
  }
}

function isLeaf(node: OperationNode): boolean {
  return [
    'IdentifierNode',
    'OperatorNode',
    'DataTypeNode',
    'ValueNode',
    'PrimitiveValueListNode',
    'CollateNode',
  ].includes(node.kind)
}

const scalarKinds = new Set([
  'ReferenceNode',
  'ColumnNode',
  'FunctionNode',
  'AggregateFunctionNode',
  'BinaryOperationNode',
  'UnaryOperationNode',
  'ParensNode',
  'CaseNode',
  'CastNode',
  'JSONReferenceNode',
  'AndNode',
  'OrNode',
  'RawNode',
  'TupleNode',
])

function isScalar(node: OperationNode): boolean {
  return scalarKinds.has(node.kind) && !isModifierRaw(node)
}

/** `asc` and `desc` are raw nodes too. */
function isModifierRaw(node: OperationNode): boolean {
  if (node.kind !== 'RawNode') return false
  const text = (node as unknown as { sqlFragments: readonly string[] }).sqlFragments.join('').trim().toLowerCase()
  return /^(asc|desc)?( ?nulls (first|last))?$/.test(text)
}

function starReference(term: ReturnType<typeof resolveColumn>): OperationNode {
  if (!term) return refuseStar()
  return {
    kind: 'ReferenceNode',
    column: { kind: 'ColumnNode', column: { kind: 'IdentifierNode', name: term.column } },
    table: {
      kind: 'TableNode',
      table: { kind: 'SchemableIdentifierNode', identifier: { kind: 'IdentifierNode', name: term.relation.alias } },
    },
  } as OperationNode
}

function refuseStar(): never {
  return refuse(
    'UNSUPPORTED_MERGE',
    'The columns of * are not known before the query runs.',
    'Name the columns in the select list.',
  )
}
