import type { ValueType } from './value-type.ts'

/** Freezes plain objects and arrays all the way down. Only for values that `inspectValue` found `shared`. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const item of Object.values(value)) deepFreeze(item)
  return value
}

/** A copy that shares nothing that can change. Only for values that `inspectValue` did not refuse. */
export function copyValue<T>(value: T, types: readonly ValueType[]): T {
  return copy(value, types) as T
}

function copy(value: unknown, types: readonly ValueType[]): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return copyArray(value, types)
  if (value instanceof Date) return new Date(value.getTime())
  if (Buffer.isBuffer(value)) return Buffer.from(value)
  if (value instanceof Uint8Array) return value.slice()
  if (value instanceof Map) return new Map(Array.from(value, ([k, v]) => [copy(k, types), copy(v, types)]))
  if (value instanceof Set) return new Set(Array.from(value, (item) => copy(item, types)))
  const prototype = Object.getPrototypeOf(value) as object
  const result = (prototype === Object.prototype ? {} : Object.create(prototype)) as Record<string, unknown>
  for (const name of Object.keys(value)) result[name] = copy((value as Record<string, unknown>)[name], types)
  return result
}

function copyArray(value: readonly unknown[], types: readonly ValueType[]): unknown[] {
  const result = new Array<unknown>(value.length)
  value.forEach((item, index) => {
    result[index] = copy(item, types)
  })
  return result
}
