import { isInexact, type Open } from '../world/columns.ts'
import { TypedValue } from '../world/typed-values.ts'

/** What two rows may differ in: nothing but the open outputs. */
export interface Leeway {
  readonly open: ReadonlyMap<string, Open>
  /** Digits of an open float that are compared. */
  readonly digits: number
}

export const floatDigits = [9, 8] as const

const single = '700'
const double = '701'

/** A row as text: type and value of every column, in their order. */
export function rowText(row: unknown, leeway: Leeway): string {
  if (typeof row !== 'object' || row === null) return valueText(row)
  return Object.entries(row)
    .map(([name, value]) => `${name}=${valueText(value, leeway.open.get(name), leeway.digits)}`)
    .join(' ')
}

export function valueText(value: unknown, open?: Open, digits: number = floatDigits[0]): string {
  if (value === null) return 'null'
  if (value === undefined) return 'undefined'
  if (value instanceof TypedValue) return typedText(value, open, digits)
  if (value instanceof Date) return `Date(${value.getTime()})`
  if (Buffer.isBuffer(value)) return `Buffer(${value.toString('hex')})`
  switch (typeof value) {
    case 'number':
      if (isInexact(open) && Number.isFinite(value)) return `number ${roundedFloat(value, digitsOf(open, digits))}`
      return `number ${Object.is(value, -0) ? '-0' : value}`
    case 'string':
      return `string ${JSON.stringify(open === 'spelling' ? plain(value) : value)}`
    case 'object': {
      const inside = (own: unknown): string => valueText(own, open, digits)
      if (Array.isArray(value)) return `[${value.map(inside).join(', ')}]`
      const entries = Object.entries(value).map(([name, own]) => `${name}=${inside(own)}`)
      return `{${entries.join(' ')}}`
    }
    default:
      return `${typeof value} ${String(value)}`
  }
}

function typedText({ type, text }: TypedValue, open: Open | undefined, digits: number): string {
  const number = Number(text)
  if (isInexact(open) && Number.isFinite(number)) {
    if (type !== single && type !== double) return `${type} ${text}`
    return `${type} ${roundedFloat(number, digitsOf(type === single ? 'single' : 'float', digits))}`
  }
  if (open === 'spelling') return `${type} ${text.split(',').map(plain).join()}`
  return `${type} ${JSON.stringify(text)}`
}

/** Single precision has six digits, where double precision has fifteen. */
function digitsOf(open: Open | undefined, digits: number): number {
  return open === 'single' ? digits - 4 : digits
}

/** Sums of a few hundred floats agree in more digits than these. */
function roundedFloat(value: number, digits: number): string {
  return value === 0 || Math.abs(value) < 1e-9 ? '0' : value.toPrecision(digits)
}

/** One spelling for equal numerics and for texts that are equal without regard to case. */
function plain(text: string): string {
  const number = /^(-?)0*(\d+?)(?:\.(\d*?)0*)?$/.exec(text)
  if (!number) return text.toLowerCase().replaceAll('ß', 'ss')
  const [, sign = '', whole = '0', fraction = ''] = number
  const digits = fraction === '' ? whole : `${whole}.${fraction}`
  return digits === '0' ? '0' : `${sign}${digits}`
}
