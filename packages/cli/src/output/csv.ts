/** RFC 4180. NULL is an empty field, an empty string is "". */
export function renderCsv(fields: readonly string[], rows: readonly (readonly unknown[])[]): string {
  return [fields.map(quoteField), ...rows.map((row) => row.map(csvField))].map((line) => line.join(',')).join('\n')
}

function csvField(value: unknown): string {
  if (value === null || value === undefined) return ''
  return quoteField(textOf(value))
}

function textOf(value: unknown): string {
  if (value instanceof Date) return value.toISOString()
  if (Buffer.isBuffer(value)) return `\\x${value.toString('hex')}`
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

function quoteField(text: string): string {
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
