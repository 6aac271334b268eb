import type { OperationNode, SelectQueryNode } from 'kysely'
import type { Analyzer } from '../analyzer.ts'
import { type Block, type ColumnTerm, resolveColumn } from '../scope/block.ts'
import { someNode } from '../walk.ts'
import { expressionTraits } from './expression.ts'

/** True when groups, duplicates and window partitions never span shards: each is bound to one shard key. */
export function isRowLocal(node: SelectQueryNode, block: Block, analyzer: Analyzer): boolean {
  const shapes = [
    ...(node.selections ?? []),
    ...(node.having ? [node.having] : []),
    ...(node.orderBy ? [node.orderBy] : []),
  ]
  const traits = shapes.map((shape) => expressionTraits(shape, analyzer.catalog))
  if (node.groupBy) {
    if (!node.groupBy.items.some((item) => isKey(item.groupBy, block, analyzer))) return false
  } else if (node.having || traits.some((own) => own.aggregate)) return false
  if (traits.some((own) => own.window) && !windowsCarryKey(node, block, analyzer)) return false
  if (node.distinctOn && !node.distinctOn.some((item) => isKey(item, block, analyzer))) return false
  return !isDistinct(node) || selectsKey(node, block, analyzer)
}

function isKey(node: OperationNode, block: Block, analyzer: Analyzer): boolean {
  const term = resolveColumn(node, block)
  if (!term || term.block !== block) return false
  const own = analyzer.termExport(term)
  return own !== undefined && own.family !== '' && !own.nullable && isPresent(term)
}

/** A column of the nullable side may be NULL although it equals a key elsewhere. */
function isPresent(term: ColumnTerm): boolean {
  return (term.block.nullable & (1 << term.relation.bit)) === 0
}

function selectsKey(node: SelectQueryNode, block: Block, analyzer: Analyzer): boolean {
  const outputs = analyzer.outputs(node, block)
  return (
    outputs?.some(({ term }) => {
      if (!term || term.block !== block) return false
      const own = analyzer.termExport(term)
      return own !== undefined && own.family !== '' && !own.nullable
    }) ?? false
  )
}

function windowsCarryKey(node: SelectQueryNode, block: Block, analyzer: Analyzer): boolean {
  const windowIsLocal = (current: OperationNode): boolean => {
    const over = (current as { over?: { partitionBy?: { items: readonly { partitionBy: OperationNode }[] } } }).over
    return over?.partitionBy?.items.some((item) => isKey(item.partitionBy, block, analyzer)) ?? false
  }
  const badWindow = (current: OperationNode): boolean => {
    if (current.kind === 'RawNode') return expressionTraits(current, analyzer.catalog).window
    if (current.kind !== 'AggregateFunctionNode') return false
    return (current as { over?: unknown }).over !== undefined && !windowIsLocal(current)
  }
  return ![...(node.selections ?? []), ...(node.orderBy ? [node.orderBy] : [])].some((item) =>
    someNode(item, badWindow),
  )
}

export function isDistinct(node: SelectQueryNode): boolean {
  return node.frontModifiers?.some((modifier) => modifier.modifier === 'Distinct') ?? false
}
