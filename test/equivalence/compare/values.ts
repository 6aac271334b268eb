/** How much two values may differ and still be the answer that PostgreSQL leaves open. */
export interface Leeway {
  /** Sums and statistics of floats depend on the order of the rows. */
  readonly floats: false | 9 | 8
  /** Which of several equal values (1.0 and 1.00, 'a' and 'A' under a case-insensitive collation) stands for a group. */
  readonly equals: boolean
}

export const strict: Leeway = { floats: false, equals: false }
/** Digits of floats that are compared: at the edge of one rounding, another one decides. */
export const open: readonly Leeway[] = [
  { floats: 9, equals: true },
  { floats: 8, equals: true },
]

/** A row as text: type and value of every column, in their order. */
export function rowText(row: unknown, leeway: Leeway): string {
  if (typeof row !== 'object' || row === null) return valueText(row, leeway)
  return Object.entries(row)
    .map(([name, value]) => `${name}=${valueText(value, leeway)}`)
    .join(' ')
}

export function valueText(value: unknown, leeway: Leeway): string {
  if (value === null) return 'null'
  if (value === undefined) return 'undefined'
  if (value instanceof Date) return `Date(${value.getTime()})`
  if (Buffer.isBuffer(value)) return `Buffer(${value.toString('hex')})`
  switch (typeof value) {
    case 'number':
      return leeway.floats && Number.isFinite(value)
        ? `number ${roundedFloat(value, leeway.floats)}`
        : `number ${Object.is(value, -0) ? '-0' : value}`
    case 'string':
      return `string ${JSON.stringify(leeway.equals ? plain(value) : value)}`
    case 'object':
      return Array.isArray(value)
        ? `[${value.map((element) => valueText(element, leeway)).join(', ')}]`
        : `{${rowText(value, leeway)}}`
    default:
      return `${typeof value} ${String(value)}`
  }
}

/** Sums of a few hundred floats agree in more digits than these. */
function roundedFloat(value: number, digits: number): string {
  return value === 0 || Math.abs(value) < 1e-9 ? '0' : value.toPrecision(digits)
}

/** One spelling for equal numerics and for texts that differ in case only. */
function plain(text: string): string {
  const number = /^(-?)0*(\d+?)(?:\.(\d*?)0*)?$/.exec(text)
  if (!number) return text.toLowerCase()
  const [, sign = '', whole = '0', fraction = ''] = number
  const digits = fraction === '' ? whole : `${whole}.${fraction}`
  return digits === '0' ? '0' : `${sign}${digits}`
}
