import { constantDefaults, filledColumns, keyOf, sqlTypes, type TableName, tableNames, tables } from './columns.ts'
import type { World } from './world.ts'

/** DDL of the world: the same on every database. At first all tables and columns. */
export function worldSql(
  world: Pick<World, 'keyType'>,
  named: readonly TableName[] = tableNames,
  shown?: (table: TableName) => readonly string[],
): string {
  const creates = named.map((table) => {
    const own = shown?.(table)
    const columns = tables[table]
      .filter(({ name }) => own?.includes(name) ?? true)
      .map(({ name, kind }) => {
        const type = kind === 'key' ? `${world.keyType} not null` : name === 'h' ? 'int not null' : sqlTypes[kind]
        const constant = constantDefaults[table]?.[name]
        return constant === undefined ? `${name} ${type}` : `${name} ${type} default ${constant}`
      })
    const filled = (filledColumns[table] ?? []).map(({ name, sql }) => `${name} ${sql}`)
    const key = keyOf[table]
    return `create table ${table} (${[...columns, ...filled].join(', ')}, primary key (${key ? `${key.column}, ` : ''}id));`
  })
  return [
    "create collation ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);",
    "create type mood as enum ('sad', 'ok', 'happy');",
    'create domain instant as timestamptz default now();',
    ...creates,
  ].join('\n')
}

/** Views that show the rows of one key. */
export function confinedSql(named: readonly TableName[], key: string | number): string {
  const views = named
    .filter((table) => keyOf[table]?.family === 'k')
    .map(
      (table) =>
        `create view confined.${table} as select * from public.${table} where ${keyOf[table]?.column} = ${literal(key)}`,
    )
  return ['create schema confined', ...views].join('; ')
}

function literal(key: string | number): string {
  return typeof key === 'number' ? String(key) : `'${key.replaceAll("'", "''")}'`
}
