import type { FleetConnection } from '@shardwright/core'
import { invalid } from '../errors/view-error.ts'
import { qualified } from '../sql/quote.ts'
import { valuesSql } from './follow-sql.ts'
import type { Step } from './step.ts'

export interface StepTypes {
  readonly key: string
  readonly value: string
}

/** The types of the two columns that are written, as SQL. */
export async function stepTypes(connection: FleetConnection, step: Step): Promise<StepTypes> {
  const { rows } = await connection.query<{ name: string; type: string }>(
    'select attname as name, format_type(atttypid, atttypmod) as type from pg_attribute where attrelid = $1::regclass and attname = any($2)',
    [qualified(step.schema, step.toTable), [step.onTo, step.toColumn]],
  )
  const typeOf = (column: string) => {
    const type = rows.find(({ name }) => name === column)?.type
    if (type === undefined) throw invalid(`${step.toTable} has no column '${column}'.`)
    return type
  }
  return { key: typeOf(step.onTo), value: typeOf(step.toColumn) }
}

/** The current values of keys, wherever their rows are. A key without a source is missing. */
export async function sourceValues(
  connections: readonly FleetConnection[],
  step: Step,
  types: StepTypes,
  keys: readonly string[],
): Promise<Map<string, string | null>> {
  const found = await Promise.all(
    connections.map(async (connection) => {
      return (await connection.query<{ key: string; value: string | null }>(valuesSql(step, types.key), [keys])).rows
    }),
  )
  return new Map(found.flat().map(({ key, value }) => [key, value]))
}
