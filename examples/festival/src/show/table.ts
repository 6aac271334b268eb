/** Rows as a table with a line of names; numbers stand to the right. */
export function tableOf(rows: readonly object[], maxRows = 12): string[] {
  const [first] = rows
  if (!first) return ['(no rows)']
  const names = Object.keys(first)
  const cells = rows.slice(0, maxRows).map((row) => names.map((name) => cellOf((row as Record<string, unknown>)[name])))
  const widths = names.map((name, index) => Math.max(name.length, ...cells.map((row) => (row[index] ?? '').length)))
  const right = names.map((_, index) => cells.every((row) => /^-?[\d.]+$|^$/.test(row[index] ?? '')))
  const line = (values: readonly string[]) =>
    values
      .map((value, index) => (right[index] ? value.padStart(widths[index] ?? 0) : value.padEnd(widths[index] ?? 0)))
      .join('  ')
      .trimEnd()
  const rest = rows.length > maxRows ? [`... ${rows.length - maxRows} more`] : []
  return [line(names), line(widths.map((width) => '-'.repeat(width))), ...cells.map(line), ...rest]
}

function cellOf(value: unknown): string {
  if (value === null || value === undefined) return ''
  return value instanceof Date ? value.toISOString().replace('.000Z', 'Z') : String(value)
}
