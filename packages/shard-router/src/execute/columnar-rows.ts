import type { ColumnarInsert } from '../plan/write/columnar-insert.ts'
import type { Statement } from '../pool/shard-pool.ts'
import { ColumnArray } from './column-array.ts'
import type { ExecutionContext } from './context.ts'
import { bindSources } from './merge-select.ts'

/** The statement that inserts the rows at `places`; `undefined` when a value cannot be an element of an array. */
export function columnarStatement(
  { template, rows, types }: ColumnarInsert,
  places: readonly number[],
  context: ExecutionContext,
): Statement | undefined {
  const { parameters } = context.call
  const arrays = types.map((type, column) => {
    const values = places.map((place) => parameters[(rows[place] as number) + column])
    return new ColumnArray(values, type)
  })
  if (!arrays.every((array) => array.isText)) return undefined
  return {
    sql: template.sql,
    parameters: [...bindSources(template, context), ...arrays],
    access: 'write',
    rows: 'objects',
  }
}
