import { KeyError } from '../errors/key-error.ts'
import { type KeyType, keyTypes } from './key-type.ts'

/** The error for a value that is no key of its type. Says what is wrong, never the value: keys are data of people. */
export function invalidKey(type: KeyType, reason: string, hint: string): KeyError {
  return new KeyError({
    code: 'INVALID_SHARD_KEY',
    message: `A shard key of type ${type} cannot be ${reason}.`,
    hint,
    details: { type, reason },
  })
}

/** Names the kind of a JavaScript value for a message. */
export function kindOf(value: unknown): string {
  if (value === null) return 'NULL'
  if (value === undefined) return 'undefined'
  if (Array.isArray(value)) return 'an array'
  if (value instanceof Date) return 'a Date'
  const article = typeof value === 'object' ? 'an' : 'a'
  return `${article} ${typeof value}`
}

/** The error for a type that no shard key may have; `type` comes from outside here, whatever its TypeScript type. */
export function unsupportedType(type: never): KeyError {
  return new KeyError({
    code: 'KEY_TYPE_UNSUPPORTED',
    message: `A shard key cannot be of type ${String(type)}.`,
    hint: `Use one of ${keyTypes.join(', ')}: their equal values hash alike.`,
    details: { type: String(type) },
  })
}
