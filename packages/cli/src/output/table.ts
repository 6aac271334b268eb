import { stripVTControlCharacters } from 'node:util'

export interface Column<Row> {
  readonly title: string
  readonly of: (row: Row) => string | number | bigint | null | undefined
  readonly align?: 'right'
  /** May lose its end when the screen is narrow; the widest of these gives way first. */
  readonly shrinks?: boolean
}

/**
 * A table as text, not wider than `width`.
 *
 * @example
 * renderTable([{ id: 'shard-1' }], [{ title: 'shard', of: (row) => row.id }], 80)
 */
export function renderTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[], width: number): string {
  const cells = rows.map((row) => columns.map((column) => textOf(column.of(row))))
  const widths = columns.map((column, index) =>
    Math.max(length(column.title), ...cells.map((row) => length(row[index] ?? ''))),
  )
  shrink(widths, columns, width)
  const line = (values: readonly string[]) =>
    values
      .map((value, index) => fit(value, widths[index] ?? 0, columns[index]?.align))
      .join('  ')
      .trimEnd()
  return [line(columns.map((column) => column.title)), ...cells.map(line)].join('\n')
}

const smallestColumn = 8

function shrink<Row>(widths: number[], columns: readonly Column<Row>[], width: number): void {
  const total = () => widths.reduce((sum, own) => sum + own, 0) + 2 * (widths.length - 1)
  for (;;) {
    if (total() <= width) return
    const candidates = widths.flatMap((own, index) => (columns[index]?.shrinks && own > smallestColumn ? [index] : []))
    if (candidates.length === 0) return
    const widest = candidates.reduce((best, index) => ((widths[index] ?? 0) > (widths[best] ?? 0) ? index : best))
    widths[widest] = (widths[widest] ?? 0) - 1
  }
}

function fit(value: string, width: number, align: 'right' | undefined): string {
  const text = length(value) > width ? `${value.slice(0, Math.max(0, width - 1))}…` : value
  const space = ' '.repeat(Math.max(0, width - length(text)))
  return align === 'right' ? space + text : text + space
}

function textOf(value: string | number | bigint | null | undefined): string {
  return value === null || value === undefined || value === '' ? '-' : String(value).replace(/[\r\n\t]+/g, ' ')
}

function length(text: string): number {
  return [...stripVTControlCharacters(text)].length
}
