import { CacheError } from '../errors/cache-error.ts'

/**
 * One text per value, and different texts for different values: the order of an object's properties does not matter,
 * `1`, `'1'` and `1n` stay apart. Never begins with `}` and holds no line break, so it may sit in a Redis hash tag.
 * @throws CacheError CACHE_KEY for functions, symbols, instances of classes and cycles
 * @example
 * canonicalText({ b: 1, a: '1' }) // {"a":"1","b":#1}
 */
export function canonicalText(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return stringText(value)
    case 'number':
      return `#${value}`
    case 'bigint':
      return `n${value}`
    case 'boolean':
      return value ? 'T' : 'F'
    case 'undefined':
      return 'U'
    case 'object':
      return value === null ? '_' : objectText(value, noParents)
    default:
      throw unusable(typeof value)
  }
}

const noParents: readonly object[] = Object.freeze([])

/** JSON, without its cost for the common string that needs no escapes. */
function stringText(value: string): string {
  return value.length < 64 && plain.test(value) ? `"${value}"` : JSON.stringify(value)
}

const plain = /^[\w .:@+/-]*$/

function nested(value: unknown, parents: readonly object[]): string {
  return typeof value === 'object' && value !== null ? objectText(value, parents) : canonicalText(value)
}

function arrayText(value: readonly unknown[], parents: readonly object[]): string {
  let inside = parents
  let text = '['
  for (let index = 0; index < value.length; index++) {
    const item = value[index]
    if (index > 0) text += ','
    if (typeof item === 'object' && item !== null) {
      if (inside === parents) inside = [...parents, value]
      text += objectText(item, inside)
    } else text += canonicalText(item)
  }
  return `${text}]`
}

function objectText(value: object, parents: readonly object[]): string {
  if (parents.includes(value)) throw unusable('a cycle')
  if (Array.isArray(value)) return arrayText(value, parents)
  const inside = [...parents, value]
  if (value instanceof Date) return `d${value.getTime()}`
  if (value instanceof Uint8Array)
    return `b${Buffer.from(value.buffer, value.byteOffset, value.length).toString('hex')}`
  if (value instanceof Map) {
    return `m(${[...value]
      .map(([k, v]) => `${nested(k, inside)}:${nested(v, inside)}`)
      .sort()
      .join(',')})`
  }
  if (value instanceof Set)
    return `s(${[...value]
      .map((item) => nested(item, inside))
      .sort()
      .join(',')})`
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) throw unusable(`an instance of ${value.constructor.name}`)
  const record = value as Record<string, unknown>
  const names = Object.keys(record).sort()
  return `{${names.map((name) => `${JSON.stringify(name)}:${nested(record[name], inside)}`).join(',')}}`
}

function unusable(what: string): CacheError {
  return new CacheError({
    code: 'CACHE_KEY',
    message: `A cache key holds ${what}, which has no canonical text.`,
    hint: 'Build keys from strings, numbers, bigints, booleans, dates, buffers, arrays, maps, sets and plain objects.',
  })
}
