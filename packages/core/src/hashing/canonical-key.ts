import { dateToText, readDate } from './date-key.ts'
import { readInteger } from './integer-key.ts'
import { unsupportedType } from './invalid-key.ts'
import type { KeyType, KeyValue } from './key-type.ts'
import { readText } from './text-key.ts'
import { readTimestamp, timestampToText } from './timestamp-key.ts'
import { readUuid } from './uuid-key.ts'

/**
 * The one text by which PostgreSQL writes this key: two keys are equal on the server if and only if these texts are.
 * Accepts what PostgreSQL's input function accepts (for dates and times: ISO 8601).
 * @throws KeyError INVALID_SHARD_KEY
 * @example
 * canonicalKey('int8', ' 042 ') // '42'
 * canonicalKey('uuid', '{018F3C5E7B1A7C3D9E2F0123456789AB}') // '018f3c5e-7b1a-7c3d-9e2f-0123456789ab'
 */
export function canonicalKey(type: KeyType, value: KeyValue): string {
  switch (type) {
    case 'int2':
    case 'int4':
    case 'int8':
      return String(readInteger(type, value))
    case 'text':
    case 'varchar':
      return readText(type, value)
    case 'uuid':
      return readUuid(value)
    case 'date':
      return dateToText(readDate(value))
    case 'timestamp':
    case 'timestamptz':
      return timestampToText(type, readTimestamp(type, value))
    default:
      throw unsupportedType(type)
  }
}
