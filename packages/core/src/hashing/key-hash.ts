import { readDate } from './date-key.ts'
import { foldInteger, readInteger } from './integer-key.ts'
import { unsupportedType } from './invalid-key.ts'
import { hashBytes, hashWord } from './jenkins-hash.ts'
import type { KeyType } from './key-type.ts'
import { encodeText, readText, textBytes } from './text-key.ts'
import { readTimestamp } from './timestamp-key.ts'
import { parseUuid, uuidBytes } from './uuid-key.ts'

/**
 * The lower 32 bits, signed, of PostgreSQL's hash of a key: the extended function under the partition seed when
 * `seeded`, the plain function otherwise. The upper bits are then in `lastHighWord()`. Throws KeyError.
 */
export function hashKey(type: KeyType, value: unknown, seeded: boolean): number {
  switch (type) {
    case 'int2':
    case 'int4':
    case 'int8':
      return hashWord(foldInteger(readInteger(type, value)), seeded)
    case 'text':
    case 'varchar': {
      const length = encodeText(readText(type, value))
      return hashBytes(textBytes(), length, seeded)
    }
    case 'uuid':
      parseUuid(value)
      return hashBytes(uuidBytes(), 16, seeded)
    case 'date':
      return hashWord(readDate(value), seeded)
    case 'timestamp':
    case 'timestamptz':
      return hashWord(foldInteger(readTimestamp(type, value)), seeded)
    default:
      throw unsupportedType(type)
  }
}
