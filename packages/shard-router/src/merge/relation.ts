import type { PgField } from '@shardwright/core'
import type { SqlTemplate } from '../plan/compile.ts'
import { slots } from '../plan/decompose/nodes.ts'
import type { TextRow } from './row-order.ts'

/** Rows that travel: as text arrays, with the types and collations that make them again what they were. */
export interface TravellingRows {
  readonly fields: readonly PgField[]
  readonly rows: readonly TextRow[]
  /** A type's name per column. */
  readonly types: readonly string[]
  /** COLLATE per column, where it is not the database's default. */
  readonly collations: readonly (string | undefined)[]
}

export interface BoundStatement {
  readonly sql: string
  readonly parameters: readonly unknown[]
}

/** How the columns of a relation are called: by the names of the result, or by position with hidden ones at the end. */
export type ColumnNames = { readonly by: 'name' } | { readonly by: 'position'; readonly hidden: number }

/**
 * Puts travelling rows in place of their slot in a statement: one `unnest` of text arrays, with a cast per column.
 * (VALUES would end at 65,535 parameters, JSON would lose nulls and array bounds.)
 */
export function bindRelation(
  statement: BoundStatement,
  step: number,
  relation: TravellingRows,
  names: ColumnNames,
): BoundStatement {
  const slot = quote(slots.gather(step))
  if (!statement.sql.includes(slot)) return statement
  const first = statement.parameters.length + 1
  const columns = columnNames(relation.fields, names)
  const arrays = relation.fields.map((_, index) => `$${first + index}::text[]`)
  const raw = relation.fields.map((_, index) => `u${index + 1}`)
  const selections = relation.fields.map((_, index) => {
    const collation = relation.collations[index]
    const value = `u.u${index + 1}::${relation.types[index]}`
    return `${collation ? `(${value}) collate ${collation}` : value} as ${quote(columns[index] as string)}`
  })
  const sql = `(select ${selections.join(', ')} from unnest(${arrays.join(', ')}) as u(${raw.join(', ')}))`
  return {
    sql: statement.sql.replaceAll(slot, sql),
    parameters: [...statement.parameters, ...relation.fields.map((_, index) => relation.rows.map((row) => row[index]))],
  }
}

/** Fills the slots that speak of the partial rows: output columns and types. */
export function fillSlots(template: SqlTemplate, relation: TravellingRows, hidden: number): string {
  const visible = relation.fields.length - hidden
  const outputs = relation.fields
    .slice(0, visible)
    .map((field, index) => `p.c${index + 1} as ${quote(field.name)}`)
    .join(', ')
  let sql = template.sql.replaceAll(quote(slots.outputs), outputs)
  relation.types.forEach((type, index) => {
    sql = sql.replaceAll(quote(slots.type(index)), type)
  })
  return sql
}

function columnNames(fields: readonly PgField[], names: ColumnNames): string[] {
  if (names.by === 'name') return fields.map((field) => field.name)
  const visible = fields.length - names.hidden
  return fields.map((_, index) => (index < visible ? `c${index + 1}` : `h${index - visible + 1}`))
}

export function quote(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`
}
