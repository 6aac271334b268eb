/// <reference path="../pool/pg-utils.d.ts" />
import { prepareValue } from 'pg/lib/utils.js'
import { InstantTexts } from './instant-texts.ts'

/**
 * The values of one column as one parameter. Its text is made when it is sent: while the first server works on its rows, those
 * of the next are written down.
 */
export class ColumnArray {
  readonly #values: readonly unknown[]
  readonly #type: string
  /** False when a value cannot be an element of an array: bytes have a text only as bytea. */
  readonly isText: boolean

  constructor(values: readonly unknown[], type: string) {
    const known = values.every(hasText)
    // What has to be asked for its text is asked once, and before anything is sent.
    this.#values = known ? values : values.map(prepared)
    this.#type = type
    this.isText = known || type === 'bytea' || this.#values.every(hasText)
  }

  toPostgres(): string {
    if (this.#values.every(isNumber)) return `{${this.#values.join(',')}}`
    const texts = this.#type === 'timestamp with time zone' ? this.#instants() : this.#values.map(textOfValue)
    return texts.every(isPlain) ? `{"${texts.join('","')}"}` : `{${texts.map(elementOf).join(',')}}`
  }

  #instants(): (string | null)[] {
    const texts = new InstantTexts()
    return this.#values.map((value) => (value instanceof Date ? texts.of(value) : undefined) ?? textOfValue(value))
  }
}

function hasText(value: unknown): boolean {
  return typeof value !== 'object' || value === null || value instanceof Date
}

function prepared(value: unknown): unknown {
  return hasText(value) ? value : prepareValue(value)
}

function isNumber(value: unknown): boolean {
  return typeof value === 'number'
}

function textOfValue(value: unknown): string | null {
  if (typeof value === 'string') return value
  const text = prepareValue(value)
  return text instanceof Uint8Array ? `\\x${Buffer.from(text).toString('hex')}` : text
}

function isPlain(text: string | null): boolean {
  return text !== null && !needsEscape.test(text)
}

function elementOf(text: string | null): string {
  return text === null ? 'NULL' : `"${text.replace(escaped, '\\$&')}"`
}

const needsEscape = /["\\]/
const escaped = /["\\]/g
