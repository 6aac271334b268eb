import type {
  BinaryOperationNode,
  CastNode,
  DataTypeNode,
  FunctionNode,
  OperationNode,
  OperatorNode,
  OrNode,
  ParensNode,
  PrimitiveValueListNode,
  TupleNode,
  ValueListNode,
  ValueNode,
} from 'kysely'
import { type ParameterIndex, plannedSource } from '../compile.ts'
import { unwrapRaw } from '../raw/raw-fragment.ts'
import { conjunctsOf } from '../scope/conjuncts.ts'
import type { Source } from '../source.ts'
import { allKeys, intersectKeys, type KeyItem, type KeySet, keyItems, noKeys, uniteKeys } from './key-set.ts'

/** What a predicate needs to be read: which nodes are the key, and which parameters the values are. */
export interface ConstraintContext {
  isKey(node: OperationNode): boolean
  /** True when an outer join may have made the key NULL where the predicate is read: IS NULL proves nothing then. */
  mayBeNull?(node: OperationNode): boolean
  readonly parameters: ParameterIndex
}

/** The keys that rows satisfying `node` can have. Anything not understood proves nothing: all keys. */
export function keyConstraint(node: OperationNode, context: ConstraintContext): KeySet {
  switch (node.kind) {
    case 'ParensNode':
      return keyConstraint((node as ParensNode).node, context)
    case 'AndNode':
      return intersectKeys(conjunctsOf(node).map((conjunct) => keyConstraint(conjunct, context)))
    case 'OrNode': {
      const { left, right } = node as OrNode
      return uniteKeys([keyConstraint(left, context), keyConstraint(right, context)])
    }
    case 'BinaryOperationNode':
      return comparisonConstraint(node as BinaryOperationNode, context)
    default:
      return allKeys
  }
}

function comparisonConstraint(node: BinaryOperationNode, context: ConstraintContext): KeySet {
  if (node.operator.kind !== 'OperatorNode') return allKeys
  const { operator } = node.operator as OperatorNode
  const left = unwrapRaw(node.leftOperand)
  const right = unwrapRaw(node.rightOperand)
  switch (operator) {
    case 'is not distinct from':
      if (context.mayBeNull?.(left) || context.mayBeNull?.(right)) return allKeys
      return equality(left, right, context)
    case '=':
      return equality(left, right, context)
    case 'in':
      return isIn(left, right, context)
    case 'is':
      // A shard key is NOT NULL.
      return context.isKey(left) && isNullLiteral(right) && !context.mayBeNull?.(left) ? noKeys : allKeys
    default:
      return allKeys
  }
}

function equality(left: OperationNode, right: OperationNode, context: ConstraintContext): KeySet {
  if (context.isKey(left)) return equalTo(right, context)
  if (context.isKey(right)) return equalTo(left, context)
  const tuples = left.kind === 'TupleNode' && right.kind === 'TupleNode'
  return tuples ? tupleEquals(left as TupleNode, right as TupleNode, context) : allKeys
}

function equalTo(node: OperationNode, context: ConstraintContext): KeySet {
  const array = anyArgument(node)
  if (array) {
    const source = sourceOf(array, context)
    return source ? keyItems([{ source, list: true, as: 'key' }]) : allKeys
  }
  const item = keyItemOf(node, context)
  return item ? keyItems([item]) : allKeys
}

function tupleEquals(left: TupleNode, right: TupleNode, context: ConstraintContext): KeySet {
  if (left.values.length !== right.values.length) return allKeys
  return intersectKeys(
    left.values.map((value, index) =>
      context.isKey(unwrapRaw(value)) ? equalTo(unwrapRaw(right.values[index] as OperationNode), context) : allKeys,
    ),
  )
}

function isIn(left: OperationNode, right: OperationNode, context: ConstraintContext): KeySet {
  if (left.kind === 'TupleNode') return tupleIn(left as TupleNode, right, context)
  if (!context.isKey(left)) return isEmptyList(right) ? noKeys : allKeys
  if (right.kind === 'PrimitiveValueListNode') return primitiveItems(right as PrimitiveValueListNode, context)
  const values = listValues(right)
  if (!values) return allKeys
  const items = values.map((value) => keyItemOf(unwrapRaw(value), context))
  return items.every((item) => item !== undefined) ? keyItems(items as KeyItem[]) : allKeys
}

function tupleIn(left: TupleNode, right: OperationNode, context: ConstraintContext): KeySet {
  const rows = listValues(right)
  if (!rows) return isEmptyList(right) ? noKeys : allKeys
  return uniteKeys(
    rows.map((row) => (row.kind === 'TupleNode' ? tupleEquals(left, row as TupleNode, context) : allKeys)),
  )
}

function listValues(node: OperationNode): readonly OperationNode[] | undefined {
  if (node.kind === 'ValueListNode') return (node as ValueListNode).values
  if (node.kind === 'TupleNode') return (node as TupleNode).values
  // `k in (1)` reaches us as `k in (parens value)`.
  if (node.kind === 'ParensNode') return [(node as ParensNode).node]
  return undefined
}

export function isEmptyList(node: OperationNode): boolean {
  if (node.kind === 'PrimitiveValueListNode') return (node as PrimitiveValueListNode).values.length === 0
  if (node.kind === 'ValueListNode') return (node as ValueListNode).values.length === 0
  return node.kind === 'TupleNode' && (node as TupleNode).values.length === 0
}

function primitiveItems(node: PrimitiveValueListNode, context: ConstraintContext): KeySet {
  const first = context.parameters.get(node)
  if (first === undefined) {
    return keyItems(
      node.values.map((value) => ({ source: { from: 'constant', value } as const, list: false, as: 'key' as const })),
    )
  }
  return keyItems(
    node.values.map((_, offset) => ({
      source: { from: 'parameter', index: first + offset } as const,
      list: false,
      as: 'key' as const,
    })),
  )
}

function anyArgument(node: OperationNode): OperationNode | undefined {
  if (node.kind !== 'FunctionNode') return undefined
  const call = node as FunctionNode
  if (call.func.toLowerCase() !== 'any' || call.arguments.length !== 1) return undefined
  return unwrapRaw(call.arguments[0] as OperationNode)
}

/** A constant that is compared with the key, or `undefined` when the node is none or its type is another matter. */
export function keyItemOf(node: OperationNode, context: ConstraintContext): KeyItem | undefined {
  if (node.kind === 'ParensNode') return keyItemOf(unwrapRaw((node as ParensNode).node), context)
  if (node.kind === 'CastNode') {
    const cast = node as CastNode
    const as = castKind(cast)
    const source = as && sourceOf(unwrapRaw(cast.expression), context)
    return source && !isRounded(source, as) ? { source, list: false, as } : undefined
  }
  const source = sourceOf(node, context)
  if (!source) return undefined
  const immediate = node.kind === 'ValueNode' && (node as ValueNode).immediate === true
  const numeric = immediate && typeof (node as ValueNode).value === 'number'
  return { source, list: false, as: numeric ? 'numeric' : 'key' }
}

/** Types whose comparison with a key of their kind is the key's own; others (bpchar, citext, float) prove nothing. */
const castKinds = new Map<string, KeyItem['as']>([
  ['uuid', 'key'],
  ['text', 'key'],
  ['varchar', 'key'],
  ['bigint', 'int8'],
  ['int8', 'int8'],
  ['integer', 'int4'],
  ['int4', 'int4'],
  ['smallint', 'int2'],
  ['int2', 'int2'],
])

function castKind(cast: CastNode): KeyItem['as'] | undefined {
  if (cast.dataType.kind !== 'DataTypeNode') return undefined
  return castKinds.get((cast.dataType as DataTypeNode).dataType)
}

/** `cast(6.6 as integer)` is 7; the text of a parameter would be refused. */
function isRounded(source: Source, as: KeyItem['as']): boolean {
  return as !== 'key' && source.from === 'constant' && source.value !== null && !/^-?\d+$/.test(String(source.value))
}

function sourceOf(node: OperationNode, context: ConstraintContext): Source | undefined {
  if (node.kind !== 'ValueNode') return undefined
  const value = node as ValueNode
  const planned = plannedSource(node)
  if (planned) return planned
  if (value.immediate) return { from: 'constant', value: value.value }
  const index = context.parameters.get(node)
  return index === undefined ? { from: 'constant', value: value.value } : { from: 'parameter', index }
}

function isNullLiteral(node: OperationNode): boolean {
  return node.kind === 'ValueNode' && (node as ValueNode).value === null
}
