import type { Random } from '../random.ts'
import type { Column } from '../world/columns.ts'
import type { Relation } from './scope.ts'

interface ConstantRows {
  /** The FROM item. */
  readonly code: string
  readonly relation: Relation
}

const int: Column = { name: 'i', kind: 'int' }

/** Rows that depend on no table: a function's, or those of VALUES. */
const forms: readonly { readonly text: string; readonly columns: readonly Column[] }[] = [
  { text: 'generate_series(1, 3)', columns: [int] },
  { text: "(values (1, 'a'), (2, null), (3, 'B'))", columns: [int, { name: 's', kind: 'text' }] },
  { text: "(values (2, date '2024-02-01'), (-1, null))", columns: [int, { name: 'd', kind: 'date' }] },
  { text: 'unnest(array[3, 1, 2]) with ordinality', columns: [{ name: 'g', kind: 'int' }, int] },
]

/** `i` is unique and not NULL. */
export function constantRows(alias: string, random: Random): ConstantRows {
  const { text, columns } = random.weighted(forms.map((form, index) => [index === 0 ? 3 : 1, form] as const))
  const names = columns.map(({ name }) => name).join(', ')
  return {
    code: `sql\`${text}\`.as(sql\`${alias}(${names})\`)`,
    relation: { alias, table: undefined, columns, keys: [], unique: ['i'] },
  }
}
