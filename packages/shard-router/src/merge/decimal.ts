/** An exact decimal: `digits` x 10^-`scale`. NaN and the infinities stand for themselves. */
export interface Decimal {
  readonly digits: bigint
  readonly scale: number
  readonly special: 'NaN' | 'Infinity' | '-Infinity' | undefined
}

/** Reads numeric (or integer) text as PostgreSQL writes it. */
export function readDecimal(text: string): Decimal {
  if (text === 'NaN' || text === 'Infinity' || text === '-Infinity') return { digits: 0n, scale: 0, special: text }
  const dot = text.indexOf('.')
  if (dot < 0) return { digits: BigInt(text), scale: 0, special: undefined }
  return { digits: BigInt(text.slice(0, dot) + text.slice(dot + 1)), scale: text.length - dot - 1, special: undefined }
}

/** Writes it as PostgreSQL does, with all digits of its scale. */
export function writeDecimal({ digits, scale, special }: Decimal): string {
  if (special) return special
  const negative = digits < 0n
  const text = (negative ? -digits : digits).toString().padStart(scale + 1, '0')
  const whole = scale === 0 ? text : `${text.slice(0, -scale)}.${text.slice(-scale)}`
  return negative ? `-${whole}` : whole
}

/** The sum keeps the larger scale, as numeric addition does. */
export function addDecimals(a: Decimal, b: Decimal): Decimal {
  if (a.special || b.special) return addSpecial(a, b)
  const scale = Math.max(a.scale, b.scale)
  return { digits: rescale(a, scale) + rescale(b, scale), scale, special: undefined }
}

function addSpecial(a: Decimal, b: Decimal): Decimal {
  if (a.special === 'NaN' || b.special === 'NaN') return readDecimal('NaN')
  if (a.special && b.special && a.special !== b.special) return readDecimal('NaN')
  return a.special ? a : b
}

function rescale(value: Decimal, scale: number): bigint {
  return value.digits * 10n ** BigInt(scale - value.scale)
}

const specialRank = { '-Infinity': -1, Infinity: 1, NaN: 2 } as const

/** NaN equals itself and is above everything, as in PostgreSQL. */
export function compareDecimals(x: string, y: string): number {
  if (isPlain(x) && isPlain(y) && scaleOf(x) === scaleOf(y)) return x.length - y.length || (x < y ? -1 : x > y ? 1 : 0)
  const a = readDecimal(x)
  const b = readDecimal(y)
  const rank = (a.special ? specialRank[a.special] : 0) - (b.special ? specialRank[b.special] : 0)
  if (a.special || b.special) return Math.sign(rank)
  const scale = Math.max(a.scale, b.scale)
  const difference = rescale(a, scale) - rescale(b, scale)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

// No sign, no name: of two with as many digits behind the point the longer is the greater, as no zeros stand in front.
function isPlain(text: string): boolean {
  const first = text.charCodeAt(0)
  return first >= 48 && first <= 57
}

function scaleOf(text: string): number {
  const dot = text.indexOf('.')
  return dot < 0 ? 0 : text.length - dot - 1
}

const digitsOfBase = 4
const minimumSignificantDigits = 16
const maximumScale = 1000

/** Division by a positive whole number with the scale that PostgreSQL's numeric division chooses, rounded half away from zero. */
export function divideDecimal(value: Decimal, count: bigint): Decimal {
  if (value.special) return value
  const scale = quotientScale(value, count)
  const numerator = value.digits * 10n ** BigInt(scale + 1)
  const denominator = count * 10n ** BigInt(value.scale)
  const negative = numerator < 0n
  const tenths = (negative ? -numerator : numerator) / denominator
  const rounded = (tenths + 5n) / 10n
  return { digits: negative ? -rounded : rounded, scale, special: undefined }
}

/** At least 16 significant digits by the base-10000 digits of the operands, at least the operand's own scale. */
function quotientScale(value: Decimal, count: bigint): number {
  const dividend = leadingDigit(value)
  const divisor = leadingDigit({ digits: count, scale: 0, special: undefined })
  let weight = dividend.weight - divisor.weight
  if (dividend.digit <= divisor.digit) weight -= 1
  const scale = minimumSignificantDigits - weight * digitsOfBase
  return Math.min(Math.max(scale, value.scale, 0), maximumScale)
}

/** Weight and value of the first base-10000 digit that is not zero. */
function leadingDigit({ digits, scale }: Decimal): { weight: number; digit: number } {
  const magnitude = digits < 0n ? -digits : digits
  if (magnitude === 0n) return { weight: 0, digit: 0 }
  const text = magnitude.toString()
  // Position of the leading decimal digit: 0 for units, 1 for tens, -1 for tenths.
  const exponent = text.length - 1 - scale
  const weight = Math.floor(exponent / digitsOfBase)
  const take = exponent - weight * digitsOfBase + 1
  return { weight, digit: Number(text.slice(0, take).padEnd(take, '0')) }
}
