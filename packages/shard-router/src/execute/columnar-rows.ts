/// <reference path="../pool/pg-utils.d.ts" />
import { prepareValue } from 'pg/lib/utils.js'
import type { ColumnarInsert } from '../plan/write/columnar-insert.ts'
import type { Statement } from '../pool/shard-pool.ts'
import type { ExecutionContext } from './context.ts'
import { bindSources } from './merge-select.ts'

/** The statement that inserts the rows at `places`; `undefined` when a value cannot be an element of an array. */
export function columnarStatement(
  { template, rows, types }: ColumnarInsert,
  places: readonly number[],
  context: ExecutionContext,
): Statement | undefined {
  const { parameters } = context.call
  const arrays: string[] = []
  for (let column = 0; column < types.length; column++) {
    const literal = arrayLiteral(
      places,
      (place) => parameters[(rows[place] as number) + column],
      types[column] as string,
    )
    if (literal === undefined) return undefined
    arrays.push(literal)
  }
  return {
    sql: template.sql,
    parameters: [...bindSources(template, context), ...arrays],
    access: 'write',
    rows: 'objects',
  }
}

function arrayLiteral(
  places: readonly number[],
  valueAt: (place: number) => unknown,
  type: string,
): string | undefined {
  const elements: string[] = []
  for (const place of places) {
    const element = elementOf(valueAt(place), type)
    if (element === undefined) return undefined
    elements.push(element)
  }
  return `{${elements.join(',')}}`
}

function elementOf(value: unknown, type: string): string | undefined {
  if (typeof value === 'number') return String(value)
  const prepared = typeof value === 'string' ? value : prepareValue(value)
  if (prepared === null) return 'NULL'
  if (typeof prepared === 'string')
    return needsEscape.test(prepared) ? `"${prepared.replace(escaped, '\\$&')}"` : `"${prepared}"`
  // Bytes are sent as they are; only for bytea do they have a text.
  return type === 'bytea' ? `"\\\\x${Buffer.from(prepared).toString('hex')}"` : undefined
}

const needsEscape = /["\\]/
const escaped = /["\\]/g
