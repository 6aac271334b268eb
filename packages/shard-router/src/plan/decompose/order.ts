import type { FetchNode, OperationNode, OrderByItemNode, RawNode, SelectQueryNode, ValueNode } from 'kysely'
import { LimitNode } from 'kysely'
import { type ParameterIndex, plannedSource, sourceNode } from '../compile.ts'
import type { RowWindow } from '../merge-plan.ts'
import { isComment, understandRaw, unwrapRaw } from '../raw/raw-fragment.ts'
import { refuse } from '../refuse.ts'
import type { Source } from '../source.ts'

export interface Direction {
  readonly descending: boolean
  readonly nullsFirst: boolean
}

/** Direction and place of NULLs, with PostgreSQL's defaults: NULLs last ascending, first descending. */
export function directionOf(item: OrderByItemNode): Direction {
  const text =
    item.direction?.kind === 'RawNode' ? (item.direction as RawNode).sqlFragments.join(' ').trim().toLowerCase() : ''
  const words = text.split(/\s+/)
  if (!/^(asc|desc)?( ?nulls (first|last))?$/.test(text)) {
    refuse(
      'RAW_SQL_NOT_UNDERSTOOD',
      'A raw ORDER BY direction is not understood.',
      "Use 'asc', 'desc' and nullsFirst().",
    )
  }
  const descending = words[0] === 'desc'
  const nulls = item.nulls ?? (text.includes('nulls') ? words[words.length - 1] : undefined)
  return { descending, nullsFirst: nulls ? nulls === 'first' : descending }
}

/** An ORDER BY expression whose raw text also has a direction cannot be told from its direction. */
export function checkOrderExpression(node: OperationNode): void {
  const bare = unwrapRaw(node)
  if (bare.kind !== 'RawNode') return
  const outside = understandRaw(bare as RawNode).tokens.filter((token) => token.depth === 0)
  if (outside.some((token) => token.text === ',' || ['asc', 'desc', 'nulls', 'using'].includes(token.text))) {
    refuse(
      'RAW_SQL_NOT_UNDERSTOOD',
      'A raw ORDER BY item carries its own direction or several expressions.',
      "Pass the direction separately: orderBy(sql`expression`, 'desc').",
    )
  }
}

/** LIMIT and OFFSET where both are plain values; `undefined` when one is an expression. */
export function rowWindow(node: SelectQueryNode, parameters: ParameterIndex): RowWindow | undefined {
  const limit = node.limit ? valueSource(node.limit.limit, parameters) : null
  const offset = node.offset ? valueSource(node.offset.offset, parameters) : null
  if (limit === undefined || offset === undefined) return undefined
  return { limit: limit ?? undefined, offset: offset ?? undefined }
}

export function valueSource(node: OperationNode, parameters: ParameterIndex): Source | undefined {
  const bare = unwrapRaw(node)
  if (bare.kind === 'RawNode') {
    const text = (bare as RawNode).sqlFragments.join('').trim().toLowerCase()
    if (text === 'null' || text === 'all') return { from: 'constant', value: null }
    return /^\d+$/.test(text) ? { from: 'constant', value: text } : undefined
  }
  if (bare.kind !== 'ValueNode') return undefined
  const planned = plannedSource(bare)
  if (planned) return planned
  const value = bare as ValueNode
  const index = parameters.get(bare)
  return value.immediate || index === undefined
    ? { from: 'constant', value: value.value }
    : { from: 'parameter', index }
}

/** The clauses that let each shard send only what can be among the first rows: limit + offset of them. */
export function pushedLimit(node: SelectQueryNode, parameters: ParameterIndex): Partial<SelectQueryNode> {
  const window = rowWindow(node, parameters)
  if (!window) return {}
  const offset = window.offset ? [window.offset] : []
  if (node.fetch) {
    const count = valueSource(node.fetch.rowCount, parameters)
    if (!count || offset.length > 0) return {}
    return { fetch: { ...node.fetch, rowCount: sourceNode(count) } satisfies FetchNode }
  }
  if (!window.limit) return {}
  const source: Source = { from: 'sum', parts: [window.limit, ...offset] }
  return { limit: LimitNode.create(sourceNode(source)) }
}

/** Row locks over several shards would be taken shard by shard, in no order. */
export function refuseLocks(node: SelectQueryNode): void {
  if (!node.endModifiers?.some(({ rawModifier }) => !rawModifier || !isComment(rawModifier))) return
  refuse(
    'UNSUPPORTED_MERGE',
    'FOR UPDATE and other row locks are taken on one shard only.',
    'Give the shard key, and lock in a transaction.',
  )
}
