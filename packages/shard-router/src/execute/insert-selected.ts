import type { PgField } from '@shardwright/core'
import type { OperationNode } from 'kysely'
import { type BoundStatement, bindRelation, type TravellingRows } from '../merge/relation.ts'
import type { TextRow } from '../merge/row-order.ts'
import { compileTemplate } from '../plan/compile.ts'
import { selectGather, without } from '../plan/decompose/nodes.ts'
import type { MultiShardPlan } from '../plan/multi-shard.ts'
import type { PreparedPlan } from '../plan/prepared-plan.ts'
import type { ExecutionContext } from './context.ts'
import { cursorRows } from './cursor-rows.ts'
import { insertParts, sumResults } from './insert-parts.ts'
import { type ShardRows, shardOfKey, statementOf } from './insert-rows.ts'
import { bindSources, bindTemplate, checkRows, partialShards, runGathers, runMergePlan } from './merge-select.ts'
import { type WrittenRows, writtenBy } from './written-rows.ts'

type InsertSelect = MultiShardPlan & { kind: 'insert-select' }
type Format = 'objects' | 'text'

/** Rows of the SELECT that are held at a time for each shard that is read. */
const chunkRows = 5000
const insertStep = 9999

/**
 * INSERT ... SELECT whose rows belong on other shards than those they are read from: each chunk is split by the shard key
 * and written, all in one transaction. Cursors are opened before the first row is written, so the SELECT sees none of
 * them. What has to be merged first, or written by one statement, is read whole and bounded by `maxRows`.
 */
export async function insertSelected(
  plan: PreparedPlan,
  insert: InsertSelect,
  context: ExecutionContext,
  format: Format,
): Promise<WrittenRows> {
  const statement = new SelectedInsert(plan, insert, context)
  const { source } = insert
  const streamed = source.partial ?? (source.merge.kind === 'combine' ? source.merge.combine.final : undefined)
  if (!insert.chunked || !streamed || (source.partial && source.merge.kind !== 'concat')) {
    const { fields, rows } = await runMergePlan(source, context)
    checkRows(rows.length, context, 'the SELECT of the INSERT')
    return await insertParts(await statement.parts(fields, rows, 0, context), context, format)
  }
  return await context.atomically(async (transaction) => {
    const inside: ExecutionContext = { ...context, transaction, atomically: (work) => work(transaction) }
    const bound = bindTemplate(streamed, await runGathers(source.gathers, inside), inside)
    const shards = source.partial ? partialShards(source, inside) : [transaction.shards[0] ?? 0]
    const cursors = await Promise.all(
      shards.map((shard) => cursorRows(shard, bound, chunkRows, transaction, inside.run)),
    )
    const written = await Promise.all(
      cursors.map(async (cursor, index) => {
        const results: WrittenRows[] = []
        for await (const { fields, rows } of cursor) {
          const parts = await statement.parts(fields, rows as readonly TextRow[], shards[index] as number, inside)
          results.push(await insertParts(parts, inside, format))
        }
        return results
      }),
    )
    const [first, ...rest] = written.flat()
    if (!first) return await insertParts([], inside, format)
    return writtenBy(first.shard, sumResults([first.result, ...rest.map(({ result }) => result)]))
  })
}

/** The INSERT of one chunk of rows, for each shard. */
class SelectedInsert {
  readonly #insert: InsertSelect
  readonly #bound: BoundStatement

  constructor(plan: PreparedPlan, insert: InsertSelect, context: ExecutionContext) {
    const rewritten = { ...without(insert.node, 'with'), values: selectGather(insertStep) }
    const template = compileTemplate(rewritten as OperationNode, plan.parameters)
    this.#insert = insert
    this.#bound = { sql: template.sql, parameters: bindSources(template, context) }
  }

  /** The rows that a shard gave, by the shards of their keys. */
  async parts(
    fields: readonly PgField[],
    rows: readonly TextRow[],
    from: number,
    context: ExecutionContext,
  ): Promise<readonly ShardRows[]> {
    const oids = fields.map((field) => field.dataTypeID)
    const types = (await context.state.types.of(from, oids, context.transaction)).map((type) => type.sql)
    const travelling = types.map((_, index) => ({ name: `c${index + 1}`, dataTypeID: 0, dataTypeModifier: -1 }))
    return [...this.#byShard(rows, context)].map(([shard, places]) => {
      const relation: TravellingRows = {
        fields: travelling,
        rows: places.map((place) => rows[place] as TextRow),
        types,
        collations: types.map(() => undefined),
      }
      const bound = bindRelation(this.#bound, insertStep, relation, { by: 'name' })
      return { shard, places, statement: statementOf(bound.sql, bound.parameters) }
    })
  }

  #byShard(rows: readonly TextRow[], context: ExecutionContext): ReadonlyMap<number, number[]> {
    const groups = new Map<number, number[]>()
    rows.forEach((row, place) => {
      const shard = shardOfKey(row[this.#insert.position], this.#insert, context)
      const places = groups.get(shard)
      if (places) places.push(place)
      else groups.set(shard, [place])
    })
    return groups
  }
}
