import type { Schema } from '@shardwright/core'
import type { ColumnFacts } from './read-columns.ts'

/** What node-postgres gives for a type, by default; what it does not know it gives as text. */
const types: Readonly<Record<string, string>> = {
  bool: 'boolean',
  int2: 'number',
  int4: 'number',
  oid: 'number',
  float4: 'number',
  float8: 'number',
  date: 'Date',
  timestamp: 'Date',
  timestamptz: 'Date',
  bytea: 'Buffer',
  interval: 'unknown',
  point: 'unknown',
  circle: 'unknown',
  json: 'unknown',
  jsonb: 'unknown',
}

const textArrays = new Set('int8 bpchar varchar text macaddr inet cidr time timetz money uuid numrange'.split(' '))

/** Source of the `Database` interface. Pure. */
export function renderDatabase(columns: readonly ColumnFacts[], schema: Schema): string {
  const tables = new Map<string, ColumnFacts[]>()
  for (const column of columns) {
    const name = column.schema === schema.defaultSchema ? column.table : `${column.schema}.${column.table}`
    tables.set(name, [...(tables.get(name) ?? []), column])
  }
  const bodies = [...tables].map(
    ([name, own]) =>
      `  ${property(named(name, schema))}: {\n${own.map((column) => `    ${line(column, schema)}`).join('\n')}\n  }`,
  )
  const body = bodies.join('\n')
  const kysely = ['ColumnType', 'Generated', 'GeneratedAlways'].filter((name) => new RegExp(`\\b${name}<`).test(body))
  return [
    '// Written by `shardwright codegen`; changes are lost.',
    ...(body.includes('ShardKey<') ? ["import type { ShardKey } from '@shardwright/core'"] : []),
    ...(kysely.length > 0 ? [`import type { ${kysely.join(', ')} } from 'kysely'`] : []),
    '',
    'export interface Database {',
    body,
    '}',
    '',
  ].join('\n')
}

function line(column: ColumnFacts, schema: Schema): string {
  const placement = schema.find(column.table, column.schema)
  const base = typeOf(column)
  const type = column.nullable ? `${base} | null` : base
  const isKey = placement?.kind === 'sharded' && placement.key === column.column
  const wrapped = isKey
    ? `ShardKey<${base}>`
    : column.generated
      ? `GeneratedAlways<${type}>`
      : column.hasDefault
        ? `Generated<${type}>`
        : type
  return `${property(named(column.column, schema))}: ${wrapped}`
}

function typeOf({ type, labels }: ColumnFacts): string {
  if (labels) return labels.map(stringLiteral).join(' | ')
  if (!type.startsWith('_')) return types[type] ?? 'string'
  const element = type.slice(1)
  if (element in types) return `${types[element]}[]`
  // node-postgres gives numbers for numeric[], although text for numeric; arrays that it does not know stay text.
  if (element === 'numeric') return 'number[]'
  return textArrays.has(element) ? 'string[]' : 'string'
}

/** As in the `Database` type: camelCase where the schema says that names are snake_case on the server. */
function named(name: string, schema: Schema): string {
  return schema.naming === 'snake_case'
    ? name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
    : name
}

function property(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : stringLiteral(name)
}

/** In single quotes, whatever PostgreSQL let into the name. */
function stringLiteral(text: string): string {
  const inner = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")
  return `'${inner}'`
}
