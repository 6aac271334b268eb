import type {
  AggregateFunctionNode,
  AliasNode,
  FunctionNode,
  OperationNode,
  OperationNodeKind,
  RawNode,
  RootOperationNode,
  SelectModifierNode,
} from 'kysely'
import type { Catalog } from './catalog.ts'
import { isClock, isClockWord } from './clock.ts'
import { isEmptyList } from './key/key-constraint.ts'
import type { Token } from './raw/lexer.ts'
import { isNestedRaw } from './raw/open-nodes.ts'
import { understandRaw, unwrapRaw } from './raw/raw-fragment.ts'
import { refuse } from './refuse.ts'
import { bareName } from './scope/from-clause.ts'
import { usesSession } from './session-use.ts'
import { syntaxFunctions } from './syntax-functions.ts'
import { eachChild } from './walk.ts'

/** What a statement contains anywhere in its tree. */
export interface TreeTraits {
  /** INSERT, UPDATE, DELETE or MERGE, also in a CTE. */
  readonly writes: boolean
  /** FOR UPDATE and its relatives. */
  readonly locks: boolean
  /** Names of functions that are volatile or that the catalog does not know. */
  readonly volatile: readonly string[]
  /** Names of functions that use the session beyond their statement. */
  readonly session: readonly string[]
  /** Names of functions such as `now` whose value is the statement's or the transaction's. */
  readonly clock: readonly string[]
  /** True when raw text stands in raw text or around a query: it is to be opened, and was not looked into. */
  readonly nestedRaw: boolean
  /** True when a node stands in several places, as far as was looked. */
  readonly shared: boolean
  readonly emptyLists: boolean
  /** UNION, INTERSECT or EXCEPT at any depth. */
  readonly setOperations: boolean
  /** Queries at all levels: 1 for a statement without subqueries, CTEs and set operations. */
  readonly queries: number
}

/**
 * The rule of each node kind: `planned` has a rule in the planner, `schema` changes the schema and is not routed, and
 * `foreign` belongs to another database. The type makes a new kind of Kysely a compile error, the test a failure.
 */
export const nodeRules: Readonly<Record<OperationNodeKind, 'planned' | 'schema' | 'foreign'>> = Object.freeze({
  AddColumnNode: 'schema',
  AddConstraintNode: 'schema',
  AddIndexNode: 'schema',
  AddValueNode: 'schema',
  AggregateFunctionNode: 'planned',
  AliasNode: 'planned',
  AlterColumnNode: 'schema',
  AlterTableNode: 'schema',
  AlterTypeNode: 'schema',
  AndNode: 'planned',
  BinaryOperationNode: 'planned',
  CaseNode: 'planned',
  CastNode: 'planned',
  CheckConstraintNode: 'schema',
  CollateNode: 'planned',
  ColumnDefinitionNode: 'schema',
  ColumnNode: 'planned',
  ColumnUpdateNode: 'planned',
  CommonTableExpressionNameNode: 'planned',
  CommonTableExpressionNode: 'planned',
  CreateIndexNode: 'schema',
  CreateSchemaNode: 'schema',
  CreateTableNode: 'schema',
  CreateTypeNode: 'schema',
  CreateViewNode: 'schema',
  DataTypeNode: 'planned',
  DefaultInsertValueNode: 'planned',
  DefaultValueNode: 'schema',
  DeleteQueryNode: 'planned',
  DropColumnNode: 'schema',
  DropConstraintNode: 'schema',
  DropIndexNode: 'schema',
  DropSchemaNode: 'schema',
  DropTableNode: 'schema',
  DropTypeNode: 'schema',
  DropViewNode: 'schema',
  ExplainNode: 'planned',
  FetchNode: 'planned',
  ForeignKeyConstraintNode: 'schema',
  FromNode: 'planned',
  FunctionNode: 'planned',
  GeneratedNode: 'schema',
  GroupByItemNode: 'planned',
  GroupByNode: 'planned',
  HavingNode: 'planned',
  IdentifierNode: 'planned',
  InsertQueryNode: 'planned',
  JSONOperatorChainNode: 'planned',
  JSONPathLegNode: 'planned',
  JSONPathNode: 'planned',
  JSONReferenceNode: 'planned',
  JoinNode: 'planned',
  LimitNode: 'planned',
  ListNode: 'planned',
  MatchedNode: 'planned',
  MergeQueryNode: 'planned',
  ModifyColumnNode: 'schema',
  OffsetNode: 'planned',
  OnConflictNode: 'planned',
  OnDuplicateKeyNode: 'foreign',
  OnNode: 'planned',
  OperatorNode: 'planned',
  OrActionNode: 'foreign',
  OrNode: 'planned',
  OrderByItemNode: 'planned',
  OrderByNode: 'planned',
  OutputNode: 'foreign',
  OverNode: 'planned',
  ParensNode: 'planned',
  PartitionByItemNode: 'planned',
  PartitionByNode: 'planned',
  PrimaryKeyConstraintNode: 'schema',
  PrimitiveValueListNode: 'planned',
  RawNode: 'planned',
  ReferenceNode: 'planned',
  ReferencesNode: 'schema',
  RefreshMaterializedViewNode: 'schema',
  RenameColumnNode: 'schema',
  RenameConstraintNode: 'schema',
  RenameValueNode: 'schema',
  ReturningNode: 'planned',
  SchemableIdentifierNode: 'planned',
  SelectAllNode: 'planned',
  SelectModifierNode: 'planned',
  SelectQueryNode: 'planned',
  SelectionNode: 'planned',
  SetOperationNode: 'planned',
  TableNode: 'planned',
  TopNode: 'foreign',
  TupleNode: 'planned',
  UnaryOperationNode: 'planned',
  UniqueConstraintNode: 'schema',
  UpdateQueryNode: 'planned',
  UsingNode: 'planned',
  ValueListNode: 'planned',
  ValueNode: 'planned',
  ValuesNode: 'planned',
  WhenNode: 'planned',
  WhereNode: 'planned',
  WithNode: 'planned',
})

const functionName = /^[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)?$|^"[^"]+"(\."[^"]+")?$/

/** Walks the tree once. @throws RoutingError for a node without a rule and for raw text that hides something. */
export function inspectTree(root: RootOperationNode, catalog: Catalog): TreeTraits {
  const traits = {
    writes: false,
    locks: false,
    nestedRaw: false,
    shared: false,
    emptyLists: false,
    setOperations: false,
    queries: 0,
  }
  const seen = new Set<OperationNode>()
  const volatile = new Set<string>()
  const clock = new Set<string>()
  const session = new Set<string>()

  const called = (name: string): void => {
    if (name === 'any' || name === 'all' || name === 'some' || name === 'grouping') return
    if (usesSession(name)) session.add(name)
    const known = catalog.functionTraits(name)
    if (isClock(name)) clock.add(name)
    else if ((!known || known.volatility === 'volatile') && !syntaxFunctions.has(name)) volatile.add(name)
  }

  const visit = (node: OperationNode): void => {
    checkRule(node)
    if (seen.has(node)) traits.shared = true
    else seen.add(node)
    switch (node.kind) {
      case 'SelectQueryNode':
        traits.queries++
        break
      case 'InsertQueryNode':
      case 'UpdateQueryNode':
      case 'DeleteQueryNode':
      case 'MergeQueryNode':
        traits.queries++
        traits.writes = true
        break
      case 'SelectModifierNode':
        if ((node as SelectModifierNode).modifier?.startsWith('For')) traits.locks = true
        break
      case 'FunctionNode':
      case 'AggregateFunctionNode': {
        const { func } = node as FunctionNode | AggregateFunctionNode
        if (!functionName.test(func)) {
          refuse('RAW_SQL_NOT_UNDERSTOOD', `'${func}' is no function name.`, 'Pass arguments as arguments.')
        }
        called(bareName(func))
        break
      }
      case 'RawNode':
        if (isNestedRaw(node as RawNode)) {
          traits.nestedRaw = true
          return
        }
        if (unwrapRaw(node) === node && !isMergeAction(node as RawNode)) inspectRaw(node as RawNode, called)
        break
      case 'SetOperationNode':
        traits.setOperations = true
        break
      case 'PrimitiveValueListNode':
      case 'ValueListNode':
        if (isEmptyList(node)) traits.emptyLists = true
        break
      default:
    }
    // A raw alias `f(a, b)` calls nothing.
    if (node.kind === 'AliasNode') visit((node as AliasNode).node)
    else eachChild(node, visit)
  }

  visit(root)
  return { ...traits, volatile: [...volatile], clock: [...clock], session: [...session] }
}

function checkRule(node: OperationNode): void {
  const rule = nodeRules[node.kind]
  if (rule === 'planned') return
  refuse(
    rule === 'schema' ? 'UNSUPPORTED_STATEMENT' : 'UNSUPPORTED_NODE',
    rule === 'schema'
      ? 'Statements that change the schema are not routed.'
      : `The planner has no rule for ${node.kind}.`,
    'Run schema changes through router.fleet or the migrator; run anything else by router.onShard(id).',
    { node: node.kind },
  )
}

/** Kysely writes `then delete` and `then do nothing` as raw text. */
function isMergeAction({ sqlFragments, parameters }: RawNode): boolean {
  return parameters.length === 0 && ['delete', 'do nothing'].includes(sqlFragments.join('').trim())
}

function inspectRaw(node: RawNode, called: (name: string) => void): void {
  const fragment = understandRaw(node)
  if (!fragment.closed && node.sqlFragments.some((text) => text.trim() !== '')) {
    refuse(
      'RAW_SQL_NOT_UNDERSTOOD',
      `The raw fragment \`${node.sqlFragments.join('?').slice(0, 80)}\` is no closed expression without subqueries.`,
      'Write subqueries with Kysely, drop comments, close parentheses, or run the statement by router.onShard(id).',
    )
  }
  for (const name of fragment.functions) called(bareName(name))
  fragment.tokens.forEach(({ kind, text }, index) => {
    if (kind === 'word' && isClockWord(text)) called(text)
    if (kind === 'string' && isMoment(fragment.tokens, index)) called(text)
  })
}

const timeTypes = new Set(['timestamptz', 'timestamp', 'date', 'time', 'timetz', 'zone'])

/** `'now'::timestamptz`, `date 'today'`, `cast('now' as time)`: read when the statement is, on each server. */
function isMoment(tokens: readonly Token[], index: number): boolean {
  if (!/^'(now|today|tomorrow|yesterday)'$/i.test(tokens[index]?.text ?? '')) return false
  if (timeTypes.has(tokens[index - 1]?.text ?? '')) return true
  return ['::', 'as'].includes(tokens[index + 1]?.text ?? '') && timeTypes.has(tokens[index + 2]?.text ?? '')
}
