import type { InsertQueryNode, OperationNode, PrimitiveValueListNode, ValuesNode } from 'kysely'
import { bindRelation } from '../../merge/relation.ts'
import type { CatalogTable } from '../catalog.ts'
import { compileTemplate, type ParameterIndex, type SqlTemplate } from '../compile.ts'
import { selectGather } from '../decompose/nodes.ts'

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

const step = 9998

/** `undefined` when a row has more than values, or a column a type that is better left to PostgreSQL. */
export function columnarInsert(
  node: InsertQueryNode,
  described: CatalogTable | undefined,
  parameters: ParameterIndex,
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
  const template = compileTemplate({ ...node, values: selectGather(step) } as OperationNode, parameters)
  const fields = types.map((_, index) => ({ name: `c${index + 1}`, dataTypeID: 25, dataTypeModifier: -1 }))
  const relation = { fields, rows: [], types, collations: types.map(() => undefined) }
  const { sql } = bindRelation({ sql: template.sql, parameters: template.sources }, step, relation, { by: 'name' })
  return Object.freeze({ template: { ...template, sql }, rows, types })
}
