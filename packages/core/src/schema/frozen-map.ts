/** A Map that cannot be changed after it was made; `Object.freeze` alone leaves `set` working. */
export class FrozenMap<K, V> extends Map<K, V> {
  constructor(entries: Iterable<readonly [K, V]>) {
    super()
    for (const [key, value] of entries) super.set(key, value)
    Object.freeze(this)
  }

  override set(_key: K, _value: V): this {
    return refuse()
  }

  override delete(_key: K): boolean {
    return refuse()
  }

  override clear(): void {
    refuse()
  }
}

function refuse(): never {
  throw new TypeError('This map is frozen.')
}
