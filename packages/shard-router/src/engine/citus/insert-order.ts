import { canonicalKey, type KeyType } from '@shardwright/core'
import { ColumnNode, type InsertQueryNode, ReferenceNode, ReturningNode } from 'kysely'
import type { ExecutionContext } from '../../execute/context.ts'
import { bindSources } from '../../execute/merge-select.ts'
import { parseRows } from '../../merge/parse-rows.ts'
import type { TextRow } from '../../merge/row-order.ts'
import type { Access } from '../../plan/access.ts'
import { bindClock } from '../../plan/clock.ts'
import { compileTemplate, type SqlTemplate } from '../../plan/compile.ts'
import { aliased } from '../../plan/decompose/nodes.ts'
import type { KeyItem } from '../../plan/key/key-set.ts'
import type { PreparedPlan } from '../../plan/prepared-plan.ts'
import { resolveSource } from '../../plan/source.ts'
import type { Statement, StatementResult } from '../../pool/shard-pool.ts'

/**
 * Citus returns the inserted rows of several shards as the shards answer. One PostgreSQL returns them in the order of VALUES:
 * each row comes back with its key, by which it is put in its place again; rows of one key are in one shard, in order.
 */
export class InsertOrder {
  readonly #template: SqlTemplate
  readonly #items: readonly KeyItem[]
  readonly #family: string

  private constructor(template: SqlTemplate, items: readonly KeyItem[], family: string) {
    this.#template = template
    this.#items = items
    this.#family = family
  }

  /** `undefined` where no rows come back, or one, or their order is open. */
  static of(plan: PreparedPlan): InsertOrder | undefined {
    if (plan.kind !== 'insert') return undefined
    const root = plan.root as InsertQueryNode
    const access = plan.accesses.find(isInsert)
    if (!root.returning || root.explain || root.values?.kind !== 'ValuesNode' || access?.keys.kind !== 'items')
      return undefined
    const { table, keys } = access
    if (keys.items.length < 2) return undefined
    const key = aliased(ReferenceNode.create(ColumnNode.create(table.key)), keyName)
    const returning = ReturningNode.create([...root.returning.selections, key])
    const template = compileTemplate(bindClock({ ...root, returning }), plan.parameters)
    return new InsertOrder(template, keys.items, table.family)
  }

  statement(context: ExecutionContext): Statement {
    return {
      sql: this.#template.sql,
      parameters: bindSources(this.#template, context),
      access: 'write',
      rows: 'text',
    }
  }

  /** The rows in the order of VALUES, without their keys; as they came where not every row came back. */
  arrange(result: StatementResult, context: ExecutionContext): StatementResult {
    const { catalog, parsers } = context.state
    const rows = result.rows as readonly TextRow[]
    const ordered = this.#inOrder(rows, catalog.keyType(this.#family), context) ?? rows
    const asked = ordered.map((row) => row.slice(0, -1))
    return { ...result, rows: parseRows(asked, result.fields.slice(0, -1), parsers) }
  }

  #inOrder(rows: readonly TextRow[], type: KeyType, { call }: ExecutionContext): TextRow[] | undefined {
    if (rows.length !== this.#items.length) return undefined
    const found = Map.groupBy(rows, (row) => canonicalKey(type, row.at(-1) as string))
    const ordered = this.#items.map(({ source }) =>
      found.get(canonicalKey(type, resolveSource(source, call) as string))?.shift(),
    )
    return ordered.every((row) => row !== undefined) ? ordered : undefined
  }
}

const keyName = 'shardwright:key'

function isInsert(access: Access): access is Access & { kind: 'sharded' } {
  return access.kind === 'sharded' && access.inserts
}
