import { invalidKey, kindOf } from './invalid-key.ts'

const form = 'Pass 32 hexadecimal digits, e.g. 018f3c5e-7b1a-7c3d-9e2f-0123456789ab.'
const canonical = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const bytes = new Uint8Array(16)

/** The bytes of the last `parseUuid`: valid until the next call. */
export function uuidBytes(): Uint8Array {
  return bytes
}

/**
 * Reads a uuid as PostgreSQL's uuid_in does: any case, optional braces, an optional hyphen after each four digits.
 * Throws KeyError.
 */
export function parseUuid(value: unknown): void {
  if (typeof value !== 'string') throw invalidKey('uuid', kindOf(value), form)
  const braced = value.charCodeAt(0) === 123
  let at = braced ? 1 : 0
  for (let i = 0; i < 16; i++) {
    const high = hexDigit(value.charCodeAt(at))
    const low = hexDigit(value.charCodeAt(at + 1))
    if (high < 0 || low < 0) throw malformed()
    bytes[i] = (high << 4) | low
    at += 2
    if ((i & 1) === 1 && i < 15 && value.charCodeAt(at) === 45) at++
  }
  if (braced && value.charCodeAt(at++) !== 125) throw malformed()
  if (at !== value.length) throw malformed()
}

function malformed(): Error {
  return invalidKey('uuid', 'a text that is not a uuid', form)
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48
  if (code >= 97 && code <= 102) return code - 87
  if (code >= 65 && code <= 70) return code - 55
  return -1
}

/** The canonical text of a uuid: lower case with hyphens. Throws KeyError. */
export function readUuid(value: unknown): string {
  if (typeof value === 'string' && canonical.test(value)) return value
  parseUuid(value)
  const hex = Buffer.from(bytes).toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
