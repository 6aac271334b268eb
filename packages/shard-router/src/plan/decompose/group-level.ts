import {
  type AggregateFunctionNode,
  type FunctionNode,
  GroupByItemNode,
  GroupByNode,
  HavingNode,
  type OperationNode,
  OrderByNode,
  type RawNode,
  type SelectQueryNode,
  type ValueNode,
} from 'kysely'
import { decomposableAggregate, distinctValues, ignoresRepeats, isOfDistinctValues } from '../aggregate/aggregates.ts'
import type { AggregateCall, InProcessAggregate } from '../aggregate/decomposable.ts'
import { compileTemplate } from '../compile.ts'
import type { MergePlan } from '../merge-plan.ts'
import { unwrapRaw } from '../raw/raw-fragment.ts'
import { refuse } from '../refuse.ts'
import { type Block, resolveColumn } from '../scope/block.ts'
import { bareName, isQuery } from '../scope/from-clause.ts'
import { bareColumnName, outputsOf } from '../scope/outputs.ts'
import { mapNode } from '../walk.ts'
import type { Localized } from './decompose.ts'
import { expressionTraits } from './expression.ts'
import { groupSubquery } from './group-subquery.ts'
import { groupingSetParts } from './grouping-sets.ts'
import { inProcessGroups } from './in-process-groups.ts'
import { aliased, fromGather, partialColumn, rawNode, rowSource } from './nodes.ts'
import { openSelections } from './open-selections.ts'
import { checkOrderExpression } from './order.ts'
import { PartialColumns, signatureOf } from './partial-columns.ts'
import { type Beside, besideChild, closed, standsAlone } from './precedence.ts'
import { rewriteElements } from './raw-elements.ts'
import { partialStep } from './row-level.ts'
import { isDistinct } from './row-local.ts'
import { decomposeWhole } from './whole-level.ts'

/**
 * Groups that span shards: each shard computes partial aggregates, one statement computes the whole from them. Where an
 * aggregate cannot be split, its rows travel.
 */
export function decomposeGroups(localized: Localized): MergePlan {
  const { analyzer } = localized
  const node = openSelections(localized.root as SelectQueryNode, analyzer.knownBlock(localized.root))
  const calls = aggregateCalls(node, localized)
  if (calls.every((call) => decomposableAggregate(call))) return new GroupLevel(node, localized, []).plan()
  const distinctRows = calls.every(ignoresRepeats)
  const apart = calls.filter((call) => !decomposableAggregate(call))
  // Beside other aggregates, what is counted once travels as distinct values with the partial results of their rows.
  if (!distinctRows && apart.every(isOfDistinctValues)) return new GroupLevel(node, localized, apart).plan()
  return decomposeWhole(localized, 'an aggregate needs the rows of all shards', distinctRows)
}

function aggregateCalls(node: SelectQueryNode, { analyzer }: Localized): AggregateCall[] {
  const calls: AggregateCall[] = []
  const visit = (current: OperationNode): OperationNode | undefined => {
    if (isQuery(current)) return current
    if (isAggregate(current, analyzer.catalog)) {
      calls.push(current as AggregateCall)
      return current
    }
    if (current.kind === 'RawNode' && unwrapRaw(current) === current && callsAggregate(current, analyzer.catalog)) {
      // A raw aggregate is taken whole: its own arguments cannot be told from the rest of the text.
      calls.push({ kind: 'FunctionNode', func: 'raw aggregate', arguments: [] } as FunctionNode)
      return current
    }
    return undefined
  }
  for (const clause of [...(node.selections ?? []), node.having, node.orderBy]) if (clause) mapNode(clause, visit)
  return calls
}

type Traits = Localized['analyzer']['catalog']

export function isAggregate(node: OperationNode, catalog: Traits): boolean {
  if (node.kind === 'AggregateFunctionNode') return (node as AggregateFunctionNode).over === undefined
  if (node.kind !== 'FunctionNode') return false
  return catalog.functionTraits(bareName((node as FunctionNode).func))?.aggregate === true
}

function callsAggregate(node: OperationNode, catalog: Traits): boolean {
  return expressionTraits({ ...node, parameters: [] } as OperationNode, catalog).aggregate
}

class GroupLevel {
  readonly #node: SelectQueryNode
  readonly #localized: Localized
  readonly #block: Block
  readonly #partials: PartialColumns
  /** Signature of each group expression. */
  readonly #groups = new Map<string, number>()
  /** Columns that PostgreSQL lets through because a primary key is grouped by. */
  readonly #dependent = new Set<number>()
  readonly #inProcess = new Map<OperationNode, InProcessAggregate>()

  readonly #ofDistinctValues: readonly AggregateCall[]

  /** `ofDistinctValues`: aggregates that see each value once; the shards group by their values too. */
  constructor(node: SelectQueryNode, localized: Localized, ofDistinctValues: readonly AggregateCall[]) {
    this.#node = node
    this.#localized = localized
    this.#ofDistinctValues = ofDistinctValues
    this.#block = localized.analyzer.knownBlock(localized.root)
    this.#partials = new PartialColumns(this.#block, localized.analyzer.parameters)
  }

  plan(): MergePlan {
    const { analyzer, gathers } = this.#localized
    const groupItems = (this.#node.groupBy?.items ?? []).map((item) => this.#groupExpression(item))
    for (const expression of groupItems) this.#addGroups(expression)
    const ownGroups = this.#partials.count
    for (const value of this.#ofDistinctValues.flatMap(distinctValues)) this.#partials.add(value)
    const groupCount = this.#partials.count
    const final = this.#finalNode(groupItems)
    // `select 1 ... having true`: grouped, and nothing of the groups is asked for.
    if (this.#partials.count === 0) this.#partials.add(rawNode(['count(*)'], []))
    const partial: SelectQueryNode = {
      ...rowSource(this.#node),
      selections: this.#partials.selections(),
      ...(groupCount > 0 ? { groupBy: GroupByNode.create(range(groupCount).map(groupByPosition)) } : {}),
    }
    const combine = {
      final: compileTemplate(final, analyzer.parameters),
      reason: "the expressions over the aggregates are PostgreSQL's",
      hidden: 0,
    }
    const shared = { gathers, partial: compileTemplate(partial, analyzer.parameters), accesses: analyzer.accesses }
    const aggregate =
      groupCount > ownGroups || this.#ofDistinctValues.length > 0
        ? undefined
        : inProcessGroups(this.#node, groupItems, {
            block: this.#block,
            parameters: analyzer.parameters,
            groupPosition: (node) => this.#groups.get(this.#signature(node)),
            aggregate: (node) => this.#inProcess.get(node),
          })
    const averages = [...this.#inProcess.values()].some((own) => own.merge === 'avg')
    const whole = () => decomposeWhole(this.#localized, 'an average of single precision needs the rows')
    return aggregate
      ? {
          ...shared,
          merge: { kind: 'aggregate', aggregate: { ...aggregate, groups: range(groupCount) }, combine, whole },
        }
      : { ...shared, merge: { kind: 'combine', combine, ...(averages ? { whole } : {}) } }
  }

  #signature(node: OperationNode): string {
    return signatureOf(unwrapRaw(node), this.#block, this.#localized.analyzer.parameters)
  }

  /** GROUP BY reads a bare name as a column first, then as an output; a literal number as a position. */
  #groupExpression(item: GroupByItemNode): OperationNode {
    const bare = unwrapRaw(item.groupBy)
    const outputs = outputsOf(this.#node.selections, this.#block)
    if (bare.kind === 'ValueNode' && (bare as ValueNode).immediate) {
      return outputs?.[Number((bare as ValueNode).value) - 1]?.expression ?? bare
    }
    const name = bareColumnName(bare)
    if (name === undefined || resolveColumn(bare, this.#block)) return bare
    return outputs?.find((output) => output.name === name)?.expression ?? bare
  }

  #addGroups(expression: OperationNode): void {
    const parts = groupingSetParts(expression)
    if (parts) {
      for (const part of parts) this.#addGroups(part)
      return
    }
    if (expression.kind === 'TupleNode' || expression.kind === 'ValueListNode') {
      for (const value of (expression as unknown as { values: readonly OperationNode[] }).values)
        this.#addGroups(unwrapRaw(value))
      return
    }
    this.#groups.set(this.#signature(expression), this.#partials.add(expression))
  }

  #finalNode(groupItems: readonly OperationNode[]): SelectQueryNode {
    const node = this.#node
    const outputs = outputsOf(node.selections, this.#block) ?? []
    const selections = outputs.map((output, index) => {
      const expression = output.expression ?? this.#starColumn(index)
      return aliased(this.#rewrite(expression, closed), output.name ?? '?column?')
    })
    const having = node.having && HavingNode.create(this.#rewrite(node.having.having, closed))
    const order = (node.orderBy?.items ?? []).map((item) => {
      checkOrderExpression(item.orderBy)
      const name = bareColumnName(unwrapRaw(item.orderBy))
      const isOutput = name !== undefined && outputs.some((output) => output.name === name)
      return { ...item, orderBy: isOutput ? unwrapRaw(item.orderBy) : this.#rewrite(item.orderBy, closed) }
    })
    const groups = groupItems.map((item) => this.#rewrite(item, closed))
    for (const position of this.#dependent) groups.push(partialColumn(position))
    if (this.#dependent.size > 0 && groupItems.some(groupingSetParts)) {
      refuse(
        'UNSUPPORTED_MERGE',
        'A column outside the grouping sets is selected.',
        'Group by the column, or aggregate it.',
      )
    }
    return {
      kind: 'SelectQueryNode',
      from: fromGather(partialStep),
      selections,
      ...(isDistinct(node) ? { frontModifiers: node.frontModifiers ?? [] } : {}),
      ...(node.distinctOn ? { distinctOn: node.distinctOn.map((item) => this.#rewrite(item, closed)) } : {}),
      ...(groups.length > 0
        ? { groupBy: GroupByNode.create(groups.map((group) => GroupByItemNode.create(group))) }
        : {}),
      ...(having ? { having } : {}),
      ...(order.length > 0 ? { orderBy: OrderByNode.create(order) } : {}),
      ...(node.limit ? { limit: node.limit } : {}),
      ...(node.offset ? { offset: node.offset } : {}),
      ...(node.fetch ? { fetch: node.fetch } : {}),
    }
  }

  #starColumn(index: number): OperationNode {
    return refuse(
      'UNSUPPORTED_MERGE',
      `Output ${index + 1} of * stands in a grouped query.`,
      'Name the grouped columns in the select list.',
    )
  }

  /** An expression over groups and aggregates, as one over the partial columns. */
  #rewrite(node: OperationNode, beside: Beside): OperationNode {
    const bare = unwrapRaw(node)
    if (isQuery(bare) || standsAlone(bare, beside)) {
      const group = this.#groupColumn(bare)
      if (group) return group
    }
    if (isQuery(bare)) {
      return groupSubquery(bare, this.#block, this.#localized, (column) => this.#groupColumn(column))
    }
    if (isAggregate(bare, this.#localized.analyzer.catalog)) return this.#rewriteAggregate(bare as AggregateCall)
    const term = resolveColumn(bare, this.#block)
    if (term) {
      const position = this.#partials.add(bare)
      this.#dependent.add(position)
      return partialColumn(position)
    }
    if (bare.kind === 'RawNode') {
      return rewriteElements(
        bare as RawNode,
        (part) => this.#groupColumn(part),
        (child) => this.#rewriteChild(child, closed),
      )
    }
    return mapNode(bare, (child) =>
      child === bare ? undefined : this.#rewriteChild(child, besideChild(child, bare, beside)),
    )
  }

  #groupColumn(expression: OperationNode): OperationNode | undefined {
    const group = this.#groups.get(this.#signature(expression))
    return group === undefined ? undefined : partialColumn(group)
  }

  #rewriteChild(child: OperationNode, beside: Beside): OperationNode {
    const bare = unwrapRaw(child)
    if (bare.kind === 'IdentifierNode' || bare.kind === 'OperatorNode' || bare.kind === 'DataTypeNode') return child
    if (bare.kind === 'ValueNode' || bare.kind === 'PrimitiveValueListNode' || bare.kind === 'CollateNode') return child
    return this.#rewrite(bare, beside)
  }

  #rewriteAggregate(call: AggregateCall): OperationNode {
    if (this.#ofDistinctValues.includes(call)) {
      const values = distinctValues(call)
      return mapNode<OperationNode>(call, (child) =>
        values.includes(child) ? partialColumn(this.#partials.add(child)) : undefined,
      )
    }
    const { final, inProcess } = (
      decomposableAggregate(call) as NonNullable<ReturnType<typeof decomposableAggregate>>
    ).decompose(call, (partial) => this.#partials.add(partial))
    this.#inProcess.set(call, inProcess)
    return final
  }
}

/** By position: a parameter written twice would be two expressions to PostgreSQL. */
function groupByPosition(index: number): GroupByItemNode {
  return GroupByItemNode.create({ kind: 'ValueNode', value: index + 1, immediate: true } as ValueNode)
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}
