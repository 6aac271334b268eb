import { type FilledColumn, filledColumns, keyOf, type TableName, tables } from './columns.ts'

/** A row as it must be in one PostgreSQL and on the shards: what nobody can say beforehand is told apart only. */
export function rowSql(table: TableName): string {
  const filled = filledColumns[table]
  if (filled === undefined) return 'q.*'
  return `row(${[...tables[table].map(({ name }) => `q.${name}`), ...filled.map(maskSql)].join(', ')})`
}

function maskSql({ name, like }: FilledColumn): string {
  switch (like) {
    case 'generated':
      return `q.${name}`
    case 'moment':
    case 'clock':
      return `case when ${isNow(name)} then 'now' else q.${name}::text end`
    case 'day':
      return `case when q.${name} >= current_date - 1 and q.${name} <= current_date then 'today' else q.${name}::text end`
    case 'own':
    case 'number':
      return `q.${name} is null`
  }
}

/** Values that rows give are years away. */
function isNow(name: string): string {
  return `q.${name}::timestamptz between now() - interval '1 hour' and now() + interval '1 hour'`
}

/** JSON of what was filled by a statement just now: moments of the row, and values that no other row may have. */
export function filledSql(table: TableName): string {
  const filled = filledColumns[table] ?? []
  const entries = filled.flatMap(({ name, like }) => {
    if (like === 'moment') return [`'${name}', case when ${isNow(name)} then q.${name}::timestamptz::text end`]
    if (like === 'number' && keyOf[table]) return [`'${name}', case when ${isNow('at')} then q.${name}::text end`]
    return like === 'own' || like === 'number' ? [`'${name}', q.${name}::text`] : []
  })
  return `jsonb_strip_nulls(jsonb_build_object(${entries.join(', ')}))`
}
