import type { ValueType } from './value-type.ts'

/** How a value can be kept: shared because it is frozen, copied on the way out, or not at all. */
export type Keeping = 'shared' | 'copied' | 'refused'

export interface Inspection {
  readonly keeping: Keeping
  /** About the memory that it takes. */
  readonly bytes: number
  /** True for what msgpack cannot carry exactly (-0, lone surrogates, sparse arrays): V8's own format takes it. */
  readonly exotic: boolean
  /** What made it `refused`, for the log. */
  readonly because: string | undefined
}

/** Walks a value once. Does not change it. */
export function inspectValue(value: unknown, types: readonly ValueType[]): Inspection {
  const walk = new Walk(types)
  walk.visit(value, 0)
  return { keeping: walk.keeping, bytes: walk.bytes, exotic: walk.exotic, because: walk.because }
}

const deepest = 200

class Walk {
  readonly #types: readonly ValueType[]
  keeping: Keeping = 'shared'
  bytes = 0
  exotic = false
  because: string | undefined

  constructor(types: readonly ValueType[]) {
    this.#types = types
  }

  visit(value: unknown, depth: number): void {
    switch (typeof value) {
      case 'string':
        this.bytes += 16 + value.length * 2
        if (!value.isWellFormed()) this.exotic = true
        return
      case 'number':
        this.bytes += 8
        if (Object.is(value, -0)) this.exotic = true
        return
      case 'bigint':
        this.bytes += 24
        return
      case 'boolean':
      case 'undefined':
        this.bytes += 8
        return
      case 'object':
        if (value === null) this.bytes += 8
        else this.#visitObject(value, depth)
        return
      default:
        this.#refuse(`a ${typeof value}`)
    }
  }

  #visitObject(value: object, depth: number): void {
    this.bytes += 48
    if (depth > deepest) {
      this.#refuse('a cycle, or nesting deeper than 200')
      return
    }
    if (Array.isArray(value)) {
      this.#visitArray(value, depth)
      return
    }
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype === Object.prototype) {
      this.#visitRecord(value, depth)
      return
    }
    if (prototype === Date.prototype) {
      this.#copy()
      return
    }
    if (prototype === Map.prototype) {
      this.#copy()
      for (const [key, item] of value as Map<unknown, unknown>) {
        this.visit(key, depth + 1)
        this.visit(item, depth + 1)
      }
      return
    }
    if (prototype === Set.prototype) {
      this.#copy()
      for (const item of value as Set<unknown>) this.visit(item, depth + 1)
      return
    }
    if (prototype === Buffer.prototype || prototype === Uint8Array.prototype) {
      this.bytes += (value as Uint8Array).byteLength
      this.#copy()
      return
    }
    if (this.#types.some((type) => prototype === type.class.prototype)) {
      this.#copy()
      this.#visitRecord(value, depth)
      return
    }
    this.#refuse(prototype === null ? 'an object without a prototype' : `an instance of ${value.constructor?.name}`)
  }

  #visitArray(value: readonly unknown[], depth: number): void {
    const keys = Object.keys(value).length
    if (keys < value.length) this.exotic = true
    if (keys > value.length) {
      this.#refuse('an array with named properties')
      return
    }
    for (const item of value) this.visit(item, depth + 1)
  }

  #visitRecord(value: object, depth: number): void {
    if (Object.getOwnPropertySymbols(value).length > 0) {
      this.#refuse('an object with symbol properties')
      return
    }
    for (const name of Object.keys(value)) {
      if (name === '__proto__') {
        this.#refuse('a property named __proto__')
        return
      }
      this.bytes += 16 + name.length
      this.visit((value as Record<string, unknown>)[name], depth + 1)
      if (this.keeping === 'refused') return
    }
  }

  #copy(): void {
    if (this.keeping === 'shared') this.keeping = 'copied'
  }

  #refuse(because: string): void {
    this.keeping = 'refused'
    this.because ??= because
  }
}
