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
  json: 'unknown',
  jsonb: 'unknown',
}

/** Source of the `Database` interface. Pure. */
export function renderDatabase(columns: readonly ColumnFacts[], schema: Schema): string {
  const tables = new Map<string, ColumnFacts[]>()
  for (const column of columns) {
    const name = column.schema === schema.defaultSchema ? column.table : `${column.schema}.${column.table}`
    tables.set(name, [...(tables.get(name) ?? []), column])
  }
  const bodies = [...tables].map(
    ([name, own]) => `  ${property(name)}: {\n${own.map((column) => `    ${line(column, schema)}`).join('\n')}\n  }`,
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
  return `${property(column.column)}: ${wrapped}`
}

function typeOf({ type, labels }: ColumnFacts): string {
  if (labels) return labels.map((label) => `'${label.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`).join(' | ')
  if (type.startsWith('_')) return `${types[type.slice(1)] ?? 'string'}[]`
  return types[type] ?? 'string'
}

function property(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : `'${name.replaceAll("'", "\\'")}'`
}
