/** Says how two results differ, or `undefined` when they are equal, row for row and digit for digit. */
export function compareRows(
  ours: readonly object[],
  theirs: readonly object[],
  options: { readonly ordered: boolean },
): string | undefined {
  const [left, right] = [ours, theirs].map((rows) => textsOf(rows, options.ordered)) as [string[], string[]]
  if (left.length !== right.length) return `${left.length} rows instead of ${right.length}`
  const at = left.findIndex((row, index) => row !== right[index])
  return at === -1 ? undefined : `row ${at + 1} is ${left[at]} instead of ${right[at]}`
}

function textsOf(rows: readonly object[], ordered: boolean): string[] {
  const texts = rows.map(textOf)
  return ordered ? texts : texts.sort()
}

function textOf(row: object): string {
  const entries = Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify(entries, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))
}
