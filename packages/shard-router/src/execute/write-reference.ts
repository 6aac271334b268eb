import type { PgField } from '@shardwright/core'
import { parseRows } from '../merge/parse-rows.ts'
import { bindRelation, quote, type TravellingRows } from '../merge/relation.ts'
import type { TextRow } from '../merge/row-order.ts'
import { slots } from '../plan/decompose/nodes.ts'
import type { ReferenceWrite } from '../plan/multi-shard.ts'
import type { StatementResult } from '../pool/shard-pool.ts'
import type { RouterTransaction } from '../transaction/router-transaction.ts'
import type { ExecutionContext } from './context.ts'
import { bindTemplate } from './merge-select.ts'

/** The copy that is written first: its locks order all writers. */
export const lead = 0
const copyStep = 9998

/** Writes all copies of a reference table in one transaction; gives the lead's answer. */
export async function writeReference(
  write: ReferenceWrite,
  transaction: RouterTransaction,
  context: ExecutionContext,
  rows: 'objects' | 'text',
): Promise<StatementResult> {
  const { sql, parameters } = bindTemplate(write.statement, new Map(), context)
  const others = context.state.topology.shards.map((_, index) => index).filter((index) => index !== lead)
  if (write.how === 'repeat') {
    const statement = { sql, parameters, access: 'write', rows } as const
    const result = await transaction.execute(lead, statement, context.run)
    await Promise.all(others.map((shard) => transaction.execute(shard, statement, context.run)))
    return result
  }
  const result = await transaction.execute(lead, { sql, parameters, access: 'write', rows: 'text' }, context.run)
  const copied = await copiedRows(write, result, { ...context, transaction })
  if (copied.rows.length > 0) {
    const bound = bindRelation({ sql: copySql(write), parameters: [] }, copyStep, copied, { by: 'name' })
    await Promise.all(
      others.map((shard) => transaction.execute(shard, { ...bound, access: 'write', rows: 'objects' }, context.run)),
    )
  }
  return callersResult(write, result, copied.fields.length, rows, context)
}

/** The lead returned the caller's columns and then the whole row. */
async function copiedRows(
  write: ReferenceWrite,
  result: StatementResult,
  context: ExecutionContext,
): Promise<TravellingRows> {
  const described = context.state.catalog.table(write.table.schema, write.table.table)
  const width = described?.columns.length ?? 0
  const fields = result.fields.slice(result.fields.length - width)
  const types = await context.state.types.of(
    lead,
    fields.map((field) => field.dataTypeID),
    context.transaction,
  )
  return {
    fields,
    rows: (result.rows as readonly TextRow[]).map((row) => row.slice(row.length - width)),
    types: types.map((type) => type.sql),
    collations: types.map(() => undefined),
  }
}

function copySql(write: ReferenceWrite): string {
  const table = `${quote(write.table.schema)}.${quote(write.table.table)}`
  const key = write.primaryKey.map(quote)
  const source = `${quote(slots.gather(copyStep))} as g`
  if (write.kind === 'delete') {
    return `delete from ${table} as t using ${source} where ${key.map((name) => `t.${name} = g.${name}`).join(' and ')}`
  }
  const columns = write.columns.map(quote)
  const rest = columns.filter((name) => !key.includes(name))
  const conflict =
    rest.length === 0 ? 'do nothing' : `do update set ${rest.map((name) => `${name} = excluded.${name}`).join(', ')}`
  return `insert into ${table} (${columns.join(', ')}) overriding system value select ${columns.map((name) => `g.${name}`).join(', ')} from ${source} on conflict (${key.join(', ')}) ${conflict}`
}

function callersResult(
  write: ReferenceWrite,
  result: StatementResult,
  width: number,
  format: 'objects' | 'text',
  context: ExecutionContext,
): StatementResult {
  if (!write.returning) return { ...result, fields: [], rows: [] }
  const visible = result.fields.length - width
  const fields: readonly PgField[] = result.fields.slice(0, visible)
  const rows = (result.rows as readonly TextRow[]).map((row) => row.slice(0, visible))
  return { ...result, fields, rows: format === 'text' ? rows : parseRows(rows, fields, context.state.parsers) }
}
