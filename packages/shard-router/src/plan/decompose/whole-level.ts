import {
  type GroupByItemNode,
  type OperationNode,
  type RawNode,
  SelectModifierNode,
  type SelectQueryNode,
} from 'kysely'
import { compileTemplate } from '../compile.ts'
import type { MergePlan } from '../merge-plan.ts'
import { unwrapRaw } from '../raw/raw-fragment.ts'
import { refuse } from '../refuse.ts'
import { type Block, resolveColumn } from '../scope/block.ts'
import { isQuery } from '../scope/from-clause.ts'
import { bareColumnName, type Output, outputsOf } from '../scope/outputs.ts'
import { mapNode } from '../walk.ts'
import type { Localized } from './decompose.ts'
import { withDependentGroups } from './dependent-groups.ts'
import { expressionTraits } from './expression.ts'
import { isAggregate } from './group-level.ts'
import { groupSubquery } from './group-subquery.ts'
import { groupingSetParts } from './grouping-sets.ts'
import { aliased, fromGather, partialColumn, rowSource, without } from './nodes.ts'
import { openSelections } from './open-selections.ts'
import { checkOrderExpression } from './order.ts'
import { PartialColumns, signatureOf } from './partial-columns.ts'
import { type Beside, besideChild, closed, standsAlone } from './precedence.ts'
import { rewriteElements } from './raw-elements.ts'
import { partialStep } from './row-level.ts'

/**
 * Rows travel: each shard computes FROM, WHERE and the expressions of single rows; everything else is computed by
 * PostgreSQL over all of them. `distinctRows`: repeated rows change nothing, so each shard sends each row once.
 */
export function decomposeWhole(localized: Localized, reason: string, distinctRows = false): MergePlan {
  const { analyzer, gathers } = localized
  const block = analyzer.knownBlock(localized.root)
  const opened = openSelections(localized.root as SelectQueryNode, block)
  analyzer.adopt(opened, block)
  const node = withDependentGroups(opened, block.relations, analyzer) as SelectQueryNode
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

/** What an expression is computed from: single rows, or groups of them, where only the grouped expressions are known. */
type Input = 'rows' | 'groups'

class WholeLevel {
  readonly #node: SelectQueryNode
  readonly #block: Block
  readonly #partials: PartialColumns
  readonly #localized: Localized
  /** Signatures of the grouped expressions. */
  readonly #grouped = new Set<string>()

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
    const groups = (node.groupBy?.items ?? []).map((item) => ({ ...item, groupBy: this.#group(item, outputs) }))
    const input: Input = node.groupBy ? 'groups' : 'rows'
    const rewrite = (expression: OperationNode) => this.#rewrite(expression, closed, input)
    const selections = outputs.map((output) =>
      aliased(rewrite(output.expression ?? starReference(output.term)), output.name ?? '?column?'),
    )
    const order = (node.orderBy?.items ?? []).map((item) => {
      checkOrderExpression(item.orderBy)
      const bare = unwrapRaw(item.orderBy)
      const name = bareColumnName(bare)
      const isOutput = bare.kind === 'ValueNode' || outputs.some((output) => name !== undefined && output.name === name)
      return { ...item, orderBy: isOutput ? bare : rewrite(bare) }
    })
    return {
      ...without(node, 'with', 'from', 'joins', 'where'),
      from: fromGather(partialStep),
      selections,
      ...(node.distinctOn ? { distinctOn: node.distinctOn.map(rewrite) } : {}),
      ...(node.groupBy ? { groupBy: { ...node.groupBy, items: groups } } : {}),
      ...(node.having ? { having: { ...node.having, having: rewrite(node.having.having) } } : {}),
      ...(node.orderBy ? { orderBy: { ...node.orderBy, items: order } } : {}),
    }
  }

  /** GROUP BY reads a bare name as a column first, then as an output. */
  #group(item: GroupByItemNode, outputs: readonly Output[]): OperationNode {
    const name = bareColumnName(unwrapRaw(item.groupBy))
    const output =
      name !== undefined && !resolveColumn(item.groupBy, this.#block)
        ? outputs.find((candidate) => candidate.name === name)?.expression
        : undefined
    const expression = unwrapRaw(output ?? item.groupBy)
    const parts = groupingSetParts(expression)
    for (const part of parts ?? [expression]) this.#grouped.add(this.#signature(part))
    if (!parts) return this.#rewrite(expression, closed, 'rows')
    // The sets of ROLLUP and its relatives stay; what they name becomes columns.
    return mapNode(expression, (child) =>
      child === expression ? undefined : this.#rewriteChild(child, closed, 'rows'),
    )
  }

  #signature(node: OperationNode): string {
    return signatureOf(unwrapRaw(node), this.#block, this.#localized.analyzer.parameters)
  }

  /** The largest parts that are computed from one row become columns; what is above them stays. */
  #rewrite(node: OperationNode, beside: Beside, input: Input): OperationNode {
    const bare = unwrapRaw(node)
    if (isQuery(bare)) return input === 'rows' ? partialColumn(this.#partials.add(bare)) : this.#subquery(bare)
    if (isLeaf(bare)) return bare
    const { catalog } = this.#localized.analyzer
    const traits = expressionTraits(bare, catalog)
    const ofOneRow = !traits.aggregate && !traits.window && !traits.returnsSet
    const known = input === 'rows' || this.#isOfGroup(bare)
    if (ofOneRow && known && isScalar(bare) && standsAlone(bare, beside)) {
      return this.#usesColumns(bare) ? partialColumn(this.#partials.add(bare)) : bare
    }
    if (input === 'groups' && bare.kind === 'RawNode') {
      return rewriteElements(
        bare as RawNode,
        (part) => this.#groupColumn(part),
        (child) => this.#rewriteChild(child, closed, input),
      )
    }
    const inner = isAggregate(bare, catalog) ? 'rows' : input
    return mapNode(bare, (child) =>
      child === bare ? undefined : this.#rewriteChild(child, besideChild(child, bare, beside), inner),
    )
  }

  #subquery(query: OperationNode): OperationNode {
    return (
      this.#groupColumn(query) ??
      groupSubquery(query, this.#block, this.#localized, (column) => this.#groupColumn(column))
    )
  }

  #groupColumn(expression: OperationNode): OperationNode | undefined {
    return this.#grouped.has(this.#signature(expression)) ? partialColumn(this.#partials.add(expression)) : undefined
  }

  /** A column that is not grouped is PostgreSQL's to refuse. */
  #isOfGroup(node: OperationNode): boolean {
    return (
      node.kind === 'ReferenceNode' ||
      resolveColumn(node, this.#block) !== undefined ||
      this.#grouped.has(this.#signature(node))
    )
  }

  #rewriteChild(child: OperationNode, beside: Beside, input: Input): OperationNode {
    const bare = unwrapRaw(child)
    if (isLeaf(bare)) return child
    if (input === 'groups' && isQuery(bare)) return this.#subquery(bare)
    // Lists, ORDER BY, FILTER and OVER are no values themselves: what stands in them is.
    if (!isScalar(bare)) {
      return mapNode(bare, (inner) => (inner === bare ? undefined : this.#rewriteChild(inner, closed, input)))
    }
    return this.#rewrite(bare, beside, input)
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
