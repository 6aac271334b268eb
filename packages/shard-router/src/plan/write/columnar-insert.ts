import {
  ColumnNode,
  type InsertQueryNode,
  type OperationNode,
  type PrimitiveValueListNode,
  type ValuesNode,
} from 'kysely'
import type { CatalogTable } from '../catalog.ts'
import { compileTemplate, type ParameterIndex, type SqlTemplate } from '../compile.ts'
import { rawNode } from '../decompose/nodes.ts'
import type { ClockColumn } from './bind-defaults.ts'

/**
 * An INSERT of nothing but values, sent as one array for each column: the text is the same for any number of rows, so that
 * every shard prepares it once, and reads a few arrays instead of thousands of parameters.
 */
export interface ColumnarInsert {
  /** Its last parameters are the arrays, in the order of the columns. */
  readonly template: SqlTemplate
  /** The caller's first parameter of each row. */
  readonly rows: readonly number[]
  /** Names of the columns' types. */
  readonly types: readonly string[]
}

// Types whose values are made of text by their input function alone, wherever they come from. `character` and `bit` have
// another meaning without a length; types of users may have casts of their own.
const plainTypes: ReadonlySet<string> = new Set([
  'smallint',
  'integer',
  'bigint',
  'numeric',
  'real',
  'double precision',
  'boolean',
  'text',
  'character varying',
  'uuid',
  'bytea',
  'json',
  'jsonb',
  'date',
  'interval',
  'time without time zone',
  'time with time zone',
  'timestamp without time zone',
  'timestamp with time zone',
])

const slot = 'shardwright:columns'

/**
 * `added`: columns that have one value in all rows. `undefined` when a row has more than values, or a column a type that
 * is better left to PostgreSQL.
 */
export function columnarInsert(
  node: InsertQueryNode,
  described: CatalogTable | undefined,
  parameters: ParameterIndex,
  added: readonly ClockColumn[],
): ColumnarInsert | undefined {
  const { columns } = node
  if (!columns || node.with || node.values?.kind !== 'ValuesNode') return undefined
  const types = columns.map(({ column }) => described?.columns.find(({ name }) => name === column.name)?.type ?? '')
  if (!types.every((type) => plainTypes.has(type))) return undefined
  const rows: number[] = []
  for (const row of (node.values as ValuesNode).values) {
    const first = row.kind === 'PrimitiveValueListNode' ? parameters.get(row) : undefined
    if (first === undefined || (row as PrimitiveValueListNode).values.length !== types.length) return undefined
    rows.push(first)
  }
  const inserted = {
    ...node,
    columns: [...columns, ...added.map(({ name }) => ColumnNode.create(name))],
    values: rawNode(
      [slot, ...added.map(() => '')],
      added.map(({ value }) => rawNode([', ', ''], [value])),
    ),
  }
  const template = compileTemplate(inserted as OperationNode, parameters)
  const first = template.sources.length + 1
  const arrays = types.map((type, index) => `unnest($${first + index}::${type}[])`)
  const sql = template.sql.replace(slot, () => `select ${arrays.join(', ')}`)
  return Object.freeze({ template: { ...template, sql }, rows, types })
}
