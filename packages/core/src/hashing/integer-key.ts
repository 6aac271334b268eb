import { invalidKey, kindOf } from './invalid-key.ts'

type IntegerType = 'int2' | 'int4' | 'int8'

const asText = 'Pass the integer as string or bigint.'
const minInt8 = -(2n ** 63n)
const maxInt8 = 2n ** 63n - 1n
// What pg's int8in accepts: spaces, a sign, decimal, hexadecimal, octal or binary digits with single underscores.
const integerText =
  /^[ \t\n\v\f\r]*([+-]?)(0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|[0-9](?:_?[0-9])*)[ \t\n\v\f\r]*$/

/** The integer that a key value means: a safe number, or a bigint where a number is not exact. Throws KeyError. */
export function readInteger(type: IntegerType, value: unknown): number | bigint {
  if (typeof value === 'number') return inRange(type, readNumber(type, value))
  if (typeof value === 'string') return inRange(type, readDigits(value) ?? readIntegerText(type, value))
  if (typeof value === 'bigint') return inRange(type, narrow(value))
  throw invalidKey(type, kindOf(value), asText)
}

function readNumber(type: IntegerType, value: number): number {
  if (Number.isSafeInteger(value)) return value === 0 ? 0 : value
  if (Number.isInteger(value)) throw invalidKey(type, 'a JavaScript number beyond 2^53, which is not exact', asText)
  throw invalidKey(type, 'a number that is not an integer', asText)
}

/** The common case without a regular expression: up to 15 plain digits, with or without a minus. */
function readDigits(text: string): number | undefined {
  const length = text.length
  if (length === 0 || length > 15) return undefined
  const negative = text.charCodeAt(0) === 45
  if (negative && length === 1) return undefined
  let result = 0
  for (let i = negative ? 1 : 0; i < length; i++) {
    const digit = text.charCodeAt(i) - 48
    if (digit < 0 || digit > 9) return undefined
    result = result * 10 + digit
  }
  return negative && result !== 0 ? -result : result
}

function readIntegerText(type: IntegerType, text: string): number | bigint {
  const match = integerText.exec(text)
  if (!match) throw invalidKey(type, 'a text that is not an integer', asText)
  const digits = match[2]!.replaceAll('_', '')
  const magnitude = BigInt(digits)
  return narrow(match[1] === '-' ? -magnitude : magnitude)
}

function narrow(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

function inRange(type: IntegerType, value: number | bigint): number | bigint {
  const fits =
    type === 'int8'
      ? typeof value === 'number' || (value >= minInt8 && value <= maxInt8)
      : typeof value === 'number' && (type === 'int4' ? value === (value | 0) : value >= -32768 && value <= 32767)
  if (fits) return value
  throw invalidKey(type, 'out of its range', `Values of ${type} have ${type.slice(3)} bytes.`)
}

/** PostgreSQL's fold of an 8-byte integer into the word it hashes, so that int2, int4 and int8 hash alike. */
export function foldInteger(value: number | bigint): number {
  if (typeof value === 'number' && value === (value | 0)) return value
  const low = typeof value === 'number' ? value | 0 : Number(BigInt.asIntN(32, value))
  const high = typeof value === 'number' ? Math.floor(value / 0x100000000) | 0 : Number(BigInt.asIntN(32, value >> 32n))
  return low ^ (high >= 0 ? high : ~high)
}
