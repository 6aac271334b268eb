import { z } from 'zod'
import { SchemaError } from '../errors/schema-error.ts'
import type { Lookup } from './lookup.ts'
import type { ShardedTable, TablePlacement } from './table-placement.ts'

const definitionShape = z.object({
  table: z.string().min(1),
  column: z.string().min(1),
  to: z.string().min(1),
  unique: z.boolean(),
  name: z.string().min(1).optional(),
})
type Definition = z.output<typeof definitionShape>

/** Of PostgreSQL, bytes; the names of its triggers and its key are longer by at most this. */
const longestName = 63 - 'shardwright_u_'.length

/** The column of entries that tells rows of one key and value apart. */
export const lookupRowColumn = 'row_id'

/** @throws SchemaError INVALID_LOOKUP */
export function resolveLookups(
  given: unknown,
  tables: readonly TablePlacement[],
  physical: (name: string) => string,
): readonly Lookup[] {
  const parsed = z.array(definitionShape).safeParse(given ?? [])
  if (!parsed.success) throw invalid(`lookups are not usable: ${z.prettifyError(parsed.error)}`)
  const lookups = parsed.data.map((definition) => resolveLookup(definition, tables, physical))
  for (const [index, { name, entries }] of lookups.entries()) {
    const taken = tables.some((table) => table.schema === entries.schema && table.table === entries.table)
    const family = tables.some((table) => table.kind === 'sharded' && table.family === name)
    const again = lookups.findIndex((other) => other.name === name) < index
    if (taken || family || again)
      throw invalid(`The name '${name}' of a lookup is taken; give it a \`name\` of its own.`)
  }
  return Object.freeze(lookups)
}

function resolveLookup(
  { table: name, column, to, unique, name: given }: Definition,
  tables: readonly TablePlacement[],
  physical: (name: string) => string,
): Lookup {
  const table = tables.find((candidate) => candidate.name === name)
  if (table?.kind !== 'sharded') {
    throw invalid(`A lookup is on '${name}', which is ${table ? `a ${table.kind} table` : 'no table of the schema'}.`)
  }
  if (to !== table.keyName)
    throw invalid(`A lookup of '${name}' leads to '${to}', and its shard key is '${table.keyName}'.`)
  if (column === to) throw invalid(`A lookup of '${name}' is on its shard key, which needs none.`)
  const value = physical(column)
  const entriesName = given ?? `${table.table}_by_${value}`
  if (Buffer.byteLength(entriesName) > longestName) {
    throw invalid(
      `The name '${entriesName}' of a lookup is longer than ${longestName} bytes; give it a shorter \`name\`.`,
    )
  }
  if ([value, table.key].includes(lookupRowColumn))
    throw invalid(`A lookup cannot be on a column '${lookupRowColumn}'.`)
  return Object.freeze({
    name: entriesName,
    table,
    column: value,
    columnName: column,
    unique,
    entries: entriesTable(entriesName, table, value, column),
  })
}

function entriesTable(name: string, table: ShardedTable, key: string, keyName: string): ShardedTable {
  return Object.freeze({
    kind: 'sharded',
    name,
    table: name,
    schema: table.schema,
    key,
    keyName,
    family: name,
    fanOut: false,
  })
}

function invalid(message: string): SchemaError {
  return new SchemaError({
    code: 'INVALID_LOOKUP',
    message,
    hint: "lookups: [lookup({ table: 'users', column: 'email', to: 'user_id', unique: true })], `to` being the shard key.",
  })
}
