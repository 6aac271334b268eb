import v8 from 'node:v8'
import { Packr } from 'msgpackr'
import type { ValueType } from './value-type.ts'

/** Stamped on every value: those of another codec are never read. Raise it when the bytes change. */
export const codecVersion = 1

/** Turns values into bytes and back without loss; `exotic` picks V8's own format. */
export interface ValueCodec {
  encode(value: unknown, exotic: boolean): Buffer
  decode(bytes: Buffer, exotic: boolean): unknown
}

const instanceMark = '$shardwright:instance'

/** msgpack for what it carries exactly (it is faster and smaller), V8 for the rest; classes by their `ValueType`. */
export function valueCodec(types: readonly ValueType[]): ValueCodec {
  const packr = new Packr({ structuredClone: true, moreTypes: true })
  const pack = types.length === 0 ? identity : (value: unknown) => toPlain(value, types)
  const unpack = types.length === 0 ? identity : (value: unknown) => fromPlain(value, types)
  return Object.freeze({
    encode: (value: unknown, exotic: boolean) => (exotic ? v8.serialize(pack(value)) : packr.pack(pack(value))),
    decode: (bytes: Buffer, exotic: boolean) => unpack(exotic ? v8.deserialize(bytes) : packr.unpack(bytes)),
  })
}

function identity(value: unknown): unknown {
  return value
}

function toPlain(value: unknown, types: readonly ValueType[]): unknown {
  return mapTree(value, (object, inner) => {
    const type = types.find((candidate) => Object.getPrototypeOf(object) === candidate.class.prototype)
    // A user's own two-element array that begins with the mark is wrapped too, so that it stays an array.
    if (type)
      return [instanceMark, type.name, Object.fromEntries(Object.entries(object).map(([k, v]) => [k, inner(v)]))]
    if (Array.isArray(object) && object[0] === instanceMark) return [instanceMark, '', object.map(inner)]
    return undefined
  })
}

function fromPlain(value: unknown, types: readonly ValueType[]): unknown {
  return mapTree(value, (object, inner) => {
    if (!Array.isArray(object) || object[0] !== instanceMark) return undefined
    const [, name, content] = object as [string, string, object]
    if (name === '') return (content as unknown[]).map(inner)
    const type = types.find((candidate) => candidate.name === name)
    if (!type) throw new TypeError(`no value type named ${name}`)
    const entries = Object.entries(content).map(([k, v]) => [k, inner(v)])
    return Object.assign(Object.create(type.class.prototype), Object.fromEntries(entries))
  })
}

type Replace = (object: object, inner: (value: unknown) => unknown) => unknown

function mapTree(value: unknown, replace: Replace): unknown {
  const inner = (item: unknown): unknown => mapTree(item, replace)
  if (typeof value !== 'object' || value === null) return value
  const replaced = replace(value, inner)
  if (replaced !== undefined) return replaced
  if (Array.isArray(value)) return value.map(inner)
  if (value instanceof Map) return new Map(Array.from(value, ([k, v]) => [inner(k), inner(v)]))
  if (value instanceof Set) return new Set(Array.from(value, inner))
  if (Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, inner(v)]))
}
