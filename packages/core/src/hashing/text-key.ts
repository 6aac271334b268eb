import { invalidKey, kindOf } from './invalid-key.ts'

type TextType = 'text' | 'varchar'

const encoder = new TextEncoder()
let scratch = new Uint8Array(1024)

/** The text that a key value means; numbers become the text that the driver sends. Throws KeyError. */
export function readText(type: TextType, value: unknown): string {
  if (typeof value === 'string') return checked(type, value)
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) return String(value)
    throw invalidKey(
      type,
      Number.isInteger(value)
        ? 'a JavaScript number beyond 2^53, which is not exact'
        : 'a number that is not an integer',
      'Pass the key as string.',
    )
  }
  throw invalidKey(type, kindOf(value), 'Pass the key as string.')
}

function checked(type: TextType, text: string): string {
  if (text.includes('\0')) throw invalidKey(type, 'a text with a NUL character', 'PostgreSQL text cannot hold \\u0000.')
  if (!text.isWellFormed()) {
    throw invalidKey(
      type,
      'a text with half a surrogate pair',
      'Such a text has no UTF-8 form; correct it where it is cut.',
    )
  }
  return text
}

/** The bytes of the last `encodeText`: valid until the next call. */
export function textBytes(): Uint8Array {
  return scratch
}

/** Writes the UTF-8 form of a text to `textBytes()` and gives its length in bytes. */
export function encodeText(text: string): number {
  const length = text.length
  if (length * 3 > scratch.length) scratch = new Uint8Array(length * 3)
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i)
    if (unit > 127) return encoder.encodeInto(text, scratch).written
    scratch[i] = unit
  }
  return length
}
