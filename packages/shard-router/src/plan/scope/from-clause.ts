import type { Schema } from '@shardwright/core'
import type {
  AliasNode,
  FromNode,
  FunctionNode,
  IdentifierNode,
  JoinNode,
  OperationNode,
  ParensNode,
  RawNode,
  TableNode,
  UsingNode,
} from 'kysely'
import type { Catalog } from '../catalog.ts'
import { isValuesList, understandRaw, unwrapRaw } from '../raw/raw-fragment.ts'
import { refuse } from '../refuse.ts'
import { syntaxFunctions } from '../syntax-functions.ts'
import type { Block } from './block.ts'
import { addFacts } from './conjuncts.ts'
import type { CteEnvironment, Relation, RelationSource } from './relation.ts'

/** What turns names into relations. `columnsOf` gives the output names of a subquery, or undefined. */
export interface NameContext {
  readonly schema: Schema
  readonly catalog: Catalog
  readonly gathered: ReadonlyMap<string, readonly string[] | undefined>
  /** `parent`: the level whose columns the subquery may use. */
  columnsOf(query: OperationNode, environment: CteEnvironment, parent: Block | undefined): readonly string[] | undefined
}

const queryKinds = new Set([
  'SelectQueryNode',
  'InsertQueryNode',
  'UpdateQueryNode',
  'DeleteQueryNode',
  'MergeQueryNode',
])

export function isQuery(node: OperationNode): boolean {
  return queryKinds.has(node.kind)
}

export function addFrom(block: Block, from: FromNode | UsingNode | undefined, names: NameContext): void {
  if (!from) return
  for (const item of from.kind === 'FromNode' ? from.froms : from.tables) addRelation(block, item, names, false)
}

/** Adds joins in order: which relations an ON restricts, and which become nullable, depends on the join type. */
export function addJoins(block: Block, joins: readonly JoinNode[] | undefined, names: NameContext): void {
  for (const join of joins ?? []) {
    const before = bitsOf(block.relations)
    const lateral = join.joinType.startsWith('Lateral')
    const bit = 1 << addRelation(block, join.table, names, lateral).bit
    const restricts = restrictedBy(join, before, bit)
    if (join.on) addFacts(block, join.on.on, restricts, join.joinType === 'FullJoin' ? bit : restricts)
  }
}

function restrictedBy(join: JoinNode, before: number, added: number): number {
  switch (join.joinType) {
    case 'InnerJoin':
    case 'CrossJoin':
    case 'LateralInnerJoin':
    case 'LateralCrossJoin':
    case 'Using':
      return before | added
    case 'LeftJoin':
    case 'LateralLeftJoin':
      return added
    case 'RightJoin':
      return before
    case 'FullJoin':
      return 0
    default:
      return refuse('UNSUPPORTED_NODE', `The join type ${join.joinType} is not PostgreSQL's.`, 'Use a lateral join.')
  }
}

/** Bits of the relations that the joins may extend with NULLs. */
export function nullableRelations(block: Block, joins: readonly JoinNode[] | undefined, first: number): number {
  let nullable = 0
  let before = (1 << first) - 1
  joins?.forEach((join, index) => {
    const bit = 1 << (first + index)
    if (join.joinType === 'LeftJoin' || join.joinType === 'LateralLeftJoin') nullable |= bit
    if (join.joinType === 'RightJoin') nullable |= before
    if (join.joinType === 'FullJoin') nullable |= before | bit
    before |= bit
  })
  return nullable | block.nullable
}

function bitsOf(relations: readonly Relation[]): number {
  return relations.reduce((bits, relation) => bits | (1 << relation.bit), 0)
}

/** Adds one FROM item, JOIN table or write target. */
export function addRelation(block: Block, item: OperationNode, names: NameContext, lateral: boolean): Relation {
  if (block.relations.length >= 30) {
    refuse('UNSUPPORTED_NODE', 'A query level joins more than 30 relations.', 'Split the query.')
  }
  const bare = unwrapRaw(item)
  const { node, alias, columns } = unalias(bare)
  const described = describe(node, block, names, lateral)
  const relation: Relation = {
    bit: block.relations.length,
    item,
    alias: alias ?? described.name,
    schema: alias === undefined ? described.schema : undefined,
    source: described.source,
    columns: columns ?? described.columns,
    lateral,
  }
  block.relations.push(relation)
  return relation
}

function unalias(node: OperationNode): { node: OperationNode; alias?: string; columns?: readonly string[] } {
  if (node.kind !== 'AliasNode') return { node }
  const alias = node as AliasNode
  const inner = unwrapRaw(alias.node)
  if (alias.alias.kind === 'IdentifierNode') return { node: inner, alias: (alias.alias as IdentifierNode).name }
  return { node: inner, ...rawAlias(alias.alias) }
}

/** `as t(a, b)` written as a raw alias. */
function rawAlias(alias: OperationNode): { alias: string; columns?: readonly string[] } {
  const fragment = alias.kind === 'RawNode' ? understandRaw(alias as RawNode) : undefined
  const words = fragment?.tokens.filter((token) => token.kind === 'word' || token.kind === 'quoted') ?? []
  const plain = fragment?.tokens.every((token) => token.kind !== 'symbol' || ['(', ')', ','].includes(token.text))
  const [first, ...columns] = words.map((token) => token.text)
  if (!fragment?.closed || !plain || first === undefined) {
    return refuse(
      'RAW_SQL_NOT_UNDERSTOOD',
      'A raw alias in FROM is not of the form t or t(a, b).',
      'Name it by .as("t").',
    )
  }
  return columns.length > 0 ? { alias: first, columns } : { alias: first }
}

interface Described {
  readonly name: string
  readonly schema: string | undefined
  readonly source: RelationSource
  readonly columns: readonly string[] | undefined
}

function describe(node: OperationNode, block: Block, names: NameContext, lateral: boolean): Described {
  if (node.kind === 'ParensNode') return describe(unwrapRaw((node as ParensNode).node), block, names, lateral)
  if (node.kind === 'TableNode') return describeTable(node as TableNode, block, names)
  if (isQuery(node)) {
    const source: RelationSource = { kind: 'query', query: node, environment: block.environment, cte: undefined }
    return {
      name: '',
      schema: undefined,
      source,
      columns: names.columnsOf(node, block.environment, lateral ? block : block.parent),
    }
  }
  if (node.kind === 'ValuesNode') return replicated('')
  if (node.kind === 'FunctionNode') {
    checkTableFunction((node as FunctionNode).func, names.catalog)
    return replicated((node as FunctionNode).func)
  }
  if (node.kind === 'RawNode') return describeRaw(node as RawNode, names)
  return refuse(
    'UNSUPPORTED_NODE',
    `A ${node.kind} in FROM is not understood.`,
    'Use a table, a subquery or a function.',
  )
}

function replicated(name: string): Described {
  return { name, schema: undefined, source: { kind: 'replicated' }, columns: undefined }
}

function describeRaw(node: RawNode, names: NameContext): Described {
  const fragment = understandRaw(node)
  const [first] = fragment.functions
  if (fragment.closed && isValuesList(fragment.tokens)) {
    for (const name of fragment.functions) checkFunction(name, names.catalog)
    return replicated('')
  }
  if (!fragment.closed || first === undefined || fragment.tokens[0]?.text !== first) {
    return refuse(
      'RAW_SQL_NOT_UNDERSTOOD',
      'A raw fragment in FROM may read any table.',
      'Use a table of the schema, a subquery, or a single function call.',
    )
  }
  for (const name of fragment.functions) checkFunction(name, names.catalog)
  return replicated(first)
}

/** In the arguments of a function in FROM, functions of the grammar may stand too. */
function checkFunction(name: string, catalog: Catalog): void {
  if (!syntaxFunctions.has(bareName(name))) checkTableFunction(name, catalog)
}

function checkTableFunction(name: string, catalog: Catalog): void {
  const traits = catalog.functionTraits(bareName(name))
  if (traits && traits.volatility !== 'volatile') return
  refuse(
    'RAW_SQL_NOT_UNDERSTOOD',
    `The function ${name} in FROM is volatile or unknown: it may read or write any table.`,
    'Mark the function STABLE or IMMUTABLE, or run the statement by router.onShard(id).',
  )
}

export function bareName(name: string): string {
  return name
    .slice(name.lastIndexOf('.') + 1)
    .replaceAll('"', '')
    .toLowerCase()
}

function describeTable(node: TableNode, block: Block, names: NameContext): Described {
  const { identifier, schema } = node.table
  const cte = schema === undefined ? block.environment.ctes.get(identifier.name) : undefined
  if (cte) {
    const source: RelationSource = cte.recursive
      ? { kind: 'recursion', cte }
      : { kind: 'query', query: cte.query, environment: cte.environment, cte }
    return {
      name: cte.name,
      schema: undefined,
      source,
      columns: cte.columns ?? names.columnsOf(cte.query, cte.environment, cte.parent),
    }
  }
  if (names.gathered.has(identifier.name)) {
    return { ...replicated(identifier.name), columns: names.gathered.get(identifier.name) }
  }
  const placement = names.schema.find(identifier.name, schema?.name)
  if (placement) {
    const table = names.catalog.table(placement.schema, placement.table)
    const columns = table?.columnNames
    return { name: identifier.name, schema: placement.schema, source: { kind: 'table', placement }, columns }
  }
  if (isSystem(identifier.name, schema?.name)) {
    return { name: identifier.name, schema: schema?.name, source: { kind: 'system' }, columns: undefined }
  }
  return refuse(
    'UNKNOWN_TABLE',
    `Table '${schema ? `${schema.name}.` : ''}${identifier.name}' has no placement in the schema.`,
    'Add it to defineSchema: sharded(key), reference() or single(shard).',
    { table: identifier.name },
  )
}

function isSystem(table: string, schema: string | undefined): boolean {
  return schema === 'pg_catalog' || schema === 'information_schema' || (schema === undefined && table.startsWith('pg_'))
}
