import type { OperationNode, SelectQueryNode } from 'kysely'
import { compileTemplate } from '../compile.ts'
import type { MergePlan } from '../merge-plan.ts'
import type { Localized } from './decompose.ts'
import { expressionTraits } from './expression.ts'
import { decomposeGroups } from './group-level.ts'
import { refuseLocks } from './order.ts'
import { decomposeRows } from './row-level.ts'
import { isDistinct } from './row-local.ts'
import { decomposeWhole } from './whole-level.ts'

/** Plans one query level whose FROM and WHERE run shard by shard: what is pushed, and how the rest is merged. */
export function decomposeLevel(localized: Localized): MergePlan {
  const node = localized.root as SelectQueryNode
  const { analyzer, locality } = localized
  const block = analyzer.knownBlock(node)
  refuseLocks(node)
  if (locality.isRowLocal(node, block)) {
    const plain = !node.orderBy && !node.limit && !node.offset && !node.fetch
    return plain ? concat(localized) : decomposeRows(localized)
  }
  const traits = shapesOf(node).map((shape) => expressionTraits(shape, analyzer.catalog))
  if (traits.some((own) => own.window)) return decomposeWhole(localized, 'window functions see the rows of all shards')
  if (node.groupBy || node.having || traits.some((own) => own.aggregate)) return decomposeGroups(localized)
  if (node.distinctOn || isDistinct(node)) return decomposeRows(localized)
  return decomposeWhole(localized, 'the clause needs the rows of all shards')
}

function concat({ root, analyzer, gathers }: Localized): MergePlan {
  return {
    gathers,
    partial: compileTemplate(root, analyzer.parameters),
    accesses: analyzer.accesses,
    merge: { kind: 'concat' },
  }
}

/** The expressions that are computed after FROM and WHERE. */
export function shapesOf(node: SelectQueryNode): readonly OperationNode[] {
  return [
    ...(node.selections ?? []),
    ...(node.having ? [node.having] : []),
    ...(node.orderBy ? [node.orderBy] : []),
    ...(node.distinctOn ?? []),
  ]
}
